import S3
import Testing

@Suite("A place in a store")
struct PlaceTests {
    @Test(
        "is read as it stands, and written so again",
        arguments: [
            ("s3://raw/clips/ab/x.mp4", "raw", "clips/ab/x.mp4"), ("s3://raw//lead", "raw", "/lead"),
            ("s3://raw/a b+c%20?d#e&f=ü", "raw", "a b+c%20?d#e&f=ü"), ("s3://raw/", "raw", ""),
            ("s3://my.bucket-1/../x", "my.bucket-1", "../x"),
        ])
    func uri(text: String, bucket: String, key: String) throws {
        let place = try #require(S3Place(uri: text))
        #expect(place == S3Place(bucket: bucket, key: key))
        #expect(place.uri == text)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "raw/key", "s3:/raw/key", "S3://raw/key", "https://raw/key", "s3://", "s3:///key", "s3://ab/key",
            "s3://a b/key", "s3://raw:80/key", "s3://u@raw/key", "s3://räw/key", "s3://../key", "s3://raw?x/key",
            "s3://raw/\0",
        ])
    func noURI(text: String) { #expect(S3Place(uri: text) == nil) }

    @Test("has a key that stores can take")
    func length() {
        #expect(S3Place(uri: "s3://raw/" + String(repeating: "ü", count: 512)) != nil)
        #expect(S3Place(uri: "s3://raw/" + String(repeating: "ü", count: 512) + "x") == nil)
    }

    @Test("is asked for at an endpoint, with the bucket where it belongs")
    func styles() throws {
        let credentials = S3Credentials(accessKey: "a", secretKey: "b")
        func url(_ endpoint: String, _ style: S3Endpoint.Style, _ place: S3Place) throws -> String {
            let endpoint = try #require(S3Endpoint(url: endpoint, region: "auto", style: style))
            return S3Signer(endpoint: endpoint, credentials: credentials)
                .sign(S3Request("GET", place), .none, at: 0).url
        }
        let object = S3Place(bucket: "raw", key: "a/b c")
        #expect(try url("https://Store.Example", .path, object) == "https://store.example/raw/a/b%20c")
        #expect(try url("https://store.example:443/", .virtualHost, object) == "https://raw.store.example/a/b%20c")
        #expect(try url("http://localhost:9000", .virtualHost, object) == "http://raw.localhost:9000/a/b%20c")
        #expect(try url("http://127.0.0.1:9000", .virtualHost, object) == "http://127.0.0.1:9000/raw/a/b%20c")
        #expect(try url("http://[::1]:9000", .virtualHost, object) == "http://[::1]:9000/raw/a/b%20c")
        let dotted = S3Place(bucket: "raw.media", key: "x")
        #expect(try url("https://store.example", .virtualHost, dotted) == "https://store.example/raw.media/x")
        #expect(try url("http://store.example", .virtualHost, dotted) == "http://raw.media.store.example/x")
        #expect(try url("https://store.example", .path, S3Place(bucket: "raw")) == "https://store.example/raw")
        #expect(try url("https://store.example", .virtualHost, S3Place(bucket: "raw")) == "https://raw.store.example/")
    }

    @Test(
        "has no endpoint with more than a host",
        arguments: [
            "", "store.example", "ftp://store.example", "https://store.example/path", "https://store.example/?a=b",
            "https://user@store.example", "https://user:secret@store.example", "https://store.example/#x", "https://",
        ])
    func endpoints(url: String) { #expect(S3Endpoint(url: url, region: "auto", style: .path) == nil) }

    @Test("keeps credentials to itself")
    func secrets() {
        let credentials = S3Credentials(accessKey: "AKID", secretKey: "very-secret", sessionToken: "also-secret")
        #expect("\(credentials)" == "credentials of AKID")
        #expect(!String(reflecting: credentials).contains("secret"))
    }
}
