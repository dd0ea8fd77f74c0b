package import Model

/// Takes what a payment provider tells.
package protocol PaymentDesk: Sendable {
    /// - Parameters:
    ///   - message: the body as it came, byte by byte: its signature is of those.
    ///   - signature: the header that proves who sent it, and when.
    /// - Throws: a `Failure` for what should be sent again, or was not sent by the provider.
    func take(_ message: [UInt8], signature: String?) async throws(Failure) -> PaymentReceipt
}

/// What became of a message that need not be sent again.
package enum PaymentReceipt: String, Sendable, CaseIterable {
    case granted, refunded
    /// It was told before.
    case already
    /// Of a payment that has not been told yet.
    case kept
    /// Nothing that concerns credit.
    case ignored
    /// Somebody paid, and no repetition makes credit of it: an operator has to look.
    case unusable
}
