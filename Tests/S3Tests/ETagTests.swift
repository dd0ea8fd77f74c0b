import PoolTestSupport
import S3
import Testing

@Suite("An ETag")
struct ETagTests {
    @Test("of bytes is their MD5")
    func single() {
        // Source: RFC 1321 §A.5.
        let etag = Array("message digest".utf8).withUnsafeBytes { ETag.of($0) }
        #expect(etag == "f96b697d7cb7938d525a2f31aaf161d0")
    }

    @Test("of parts is the MD5 of theirs, in the order of their numbers")
    func parts() {
        // By openssl: the MD5 of the digests of "a" and "b", one behind the other.
        let parts = [
            S3Part(number: 7, etag: "92eb5ffee6ae2fec3ad71c777531578f"),
            S3Part(number: 1, etag: "0cc175b9c0f1b6a831c399e269772661"),
        ]
        #expect(ETag.of(parts) == "96e024ba2074fe77e8e965ba43a704be-2")
    }

    @Test("of parts is not known where a store has ETags of its own")
    func foreign() {
        #expect(ETag.of([S3Part(number: 1, etag: "v1-0cc175b9c0f1b6a831c399e269772661")]) == nil)
        #expect(ETag.of([S3Part(number: 1, etag: String(repeating: "z", count: 32))]) == nil)
    }
}
