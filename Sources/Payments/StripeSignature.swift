internal import Crypto
internal import Model

/// Proves that Stripe sent a message, and when. Source: Stripe, "Resolve webhook signature verification errors", "Verify
/// webhook signatures manually".
struct StripeSignature {
    /// How far the sender's clock may be off, or the message be old; as Stripe's own libraries have it.
    static let toleranceSeconds: Int64 = 300
    /// While a secret is changed there are two of them.
    private static let mostSignatures = 16

    private let key: SymmetricKey

    init(secret: String) { key = SymmetricKey(data: Array(secret.utf8)) }

    /// - Parameters:
    ///   - header: `t=1492774577,v1=5257a8…,v1=…,v0=…`: the time, and the HMAC-SHA256 of the time, a dot and the message
    ///     by each secret that is in use. Other schemes are passed over.
    ///   - now: seconds since 1970.
    func proves(_ message: [UInt8], header: String, now: Int64) -> Bool {
        var times: [Substring] = []
        var codes: [[UInt8]] = []
        for element in header.split(separator: ",") {
            let halves = element.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else { continue }
            switch halves[0].drop(while: { $0 == " " }) {
            case "t": times.append(halves[1])
            case "v1": if let code = Hexadecimal.bytes(halves[1]) { codes.append(code) }
            default: continue
            }
        }
        guard times.count == 1, let text = times.first, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let time = Int64(text), codes.count <= Self.mostSignatures
        else { return false }
        let (age, overflow) = now.subtractingReportingOverflow(time)
        guard !overflow, age.magnitude <= Self.toleranceSeconds.magnitude else { return false }
        let signed = Array("\(text).".utf8) + message
        // Compared in a time that says nothing of where they differ.
        return codes.contains { HMAC<SHA256>.isValidAuthenticationCode($0, authenticating: signed, using: key) }
    }
}
