extension TransferHead {
    /// Where the server would have the client go. Source: RFC 9110 §15.4.
    var redirect: String? {
        guard [301, 302, 303, 307, 308].contains(status), let place = self["Location"], !place.isEmpty else {
            return nil
        }
        return place
    }
}

extension TransferRequest {
    /// What says what is wanted, and nothing of who wants it.
    private static let impersonalHeaders: Set<String> = [
        "accept", "accept-encoding", "accept-language", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "range", "user-agent",
    ]

    /// Goes on to where an answer points. libcurl could do it, and would carry headers that it does not know for
    /// credentials along to another host.
    mutating func redirect(to reference: String, status: Int, body: inout TransferBody) throws(TransferError) {
        let target = try address.resolving(reference)
        guard address.scheme == .http || target.scheme == .https else {
            throw TransferError(.refusedAddress, "\(address.shown) leads from https to http")
        }
        let losesBody = status == 303 || (status == 301 || status == 302) && method == "POST"
        if losesBody, method != "HEAD" {
            method = "GET"
            body = .none
            headers.removeAll { $0.name.lowercased().hasPrefix("content-") }
        } else if case .pull(_, false, _) = body {
            throw TransferError(.protocolViolation, "\(address.shown) redirects what can be sent only once")
        }
        if target.origin != address.origin {
            headers.removeAll { !Self.impersonalHeaders.contains($0.name.lowercased()) }
        }
        address = target
    }
}
