/// What requests are signed with. Never shown: its description says whose it is, and no more.
package struct S3Credentials: Sendable, Equatable, CustomStringConvertible {
    package var accessKey: String
    package var secretKey: String
    /// Of temporary credentials.
    package var sessionToken: String?

    package init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        (self.accessKey, self.secretKey, self.sessionToken) = (accessKey, secretKey, sessionToken)
    }

    package var description: String { "credentials of \(accessKey)" }
}
