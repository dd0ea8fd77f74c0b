import S3
import Testing

/// The examples of Amazon S3's API reference, "Signature Calculations for the Authorization Header" and "Authenticating
/// Requests: Using Query Parameters".
@Suite("A signature")
struct SignerTests {
    private static let moment: Int64 = 1_369_353_600  // 2013-05-24T00:00:00Z
    private static let signer = S3Signer(
        endpoint: S3Endpoint(scheme: .https, host: "s3.amazonaws.com", region: "us-east-1", style: .virtualHost),
        credentials: S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))

    private static func signature(_ request: S3Request, _ payload: S3Payload) -> String {
        let headers = signer.sign(request, payload, at: moment).headers
        let text = headers.first { $0.name == "Authorization" }?.value ?? ""
        return String(text.split(separator: "=").last ?? "")
    }

    @Test("is the published one of a ranged GET")
    func get() {
        let request = S3Request(
            "GET", S3Place(bucket: "examplebucket", key: "test.txt"), headers: [("Range", "bytes=0-9")])
        #expect(
            Self.signature(request, .none) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("is the published one of a PUT with a key that needs escapes")
    func put() {
        let request = S3Request(
            "PUT", S3Place(bucket: "examplebucket", key: "test$file.text"),
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ])
        #expect(
            Self.signature(request, .of(Array("Welcome to Amazon S3.".utf8)))
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test("is the published one of a question about a bucket, and of a list")
    func buckets() {
        let bucket = S3Place(bucket: "examplebucket")
        #expect(
            Self.signature(S3Request("GET", bucket, query: [("lifecycle", "")]), .none)
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        #expect(
            Self.signature(S3Request("GET", bucket, query: [("prefix", "J"), ("max-keys", "2")]), .none)
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test("is the published one of a URL for a day")
    func presigned() {
        let url = Self.signer.presign(
            S3Request("GET", S3Place(bucket: "examplebucket", key: "test.txt")), for: 86_400, at: Self.moment)
        #expect(
            url == "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }
}
