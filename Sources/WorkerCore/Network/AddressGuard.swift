/// Keeps strangers' URLs from leading into the network that this process stands in.
///
/// A pure decision about one address. It is to be asked about the very address that is about to be connected to: what a
/// name resolved to a moment before says nothing about what it resolves to now.
package struct AddressGuard: Sendable, Equatable {
    /// Why an address is out of bounds.
    package enum Refusal: String, Sendable, CaseIterable {
        case unspecified, loopback, multicast, metadata, reserved
        case privateNetwork = "private"
        case linkLocal = "link-local"
        case carrierShared = "carrier-shared"
    }

    private let hosts: Set<String>
    private let blocks: [AddressBlock]

    /// - Parameters:
    ///   - hosts: names that may lead to private addresses, without a port, in any case; literal addresses count as
    ///     blocks. Not to link-local ones, where machines find their credentials: who owns a name may point it there.
    ///   - blocks: addresses that anyone may name.
    package init(allowingHosts hosts: [String] = [], blocks: [AddressBlock] = []) {
        self.hosts = Set(hosts.map(Self.normal))
        self.blocks = blocks + hosts.compactMap { AddressBlock(Self.normal($0)) }
    }

    /// Names, addresses and blocks, as an operator lists them.
    package init(allowing entries: [String]) {
        self.init(
            allowingHosts: entries.filter { AddressBlock($0) == nil }, blocks: entries.compactMap(AddressBlock.init))
    }

    /// - Parameter host: the name through which the address was found, as it stood in the URL.
    /// - Returns: `nil` when the address may be connected to.
    package func refusal(of address: IPAddress, host: String) -> Refusal? {
        guard let reason = Self.reason(against: address) else { return nil }
        if allows(block: address) { return nil }
        if hosts.contains(Self.normal(host)), reason != .linkLocal, reason != .metadata { return nil }
        return reason
    }

    /// Whether an operator has named it: the name, or the block of a literal address.
    package func isListed(host: String) -> Bool {
        let host = Self.normal(host)
        return hosts.contains(host) || IPAddress(host).map(allows(block:)) ?? false
    }

    private func allows(block address: IPAddress) -> Bool {
        blocks.contains { $0.contains(address) || address.embedded.map($0.contains) ?? false }
    }

    private static func normal(_ host: String) -> String {
        var text = host.lowercased()
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if text.count > 1, text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// Why nobody on the Internet is at that address. `nil` for public ones.
    package static func reason(against address: IPAddress) -> Refusal? {
        for (block, reason) in special where block.contains(address) { return reason }
        if let embedded = address.embedded { return reason(against: embedded) }
        switch address {
        case .v4: return nil
        // Of version 6 only 2000::/3 is given out. Source: IANA, IPv6 Address Space.
        case .v6(let high, _): return high >> 61 == 1 ? nil : .reserved
        }
    }

    /// Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); the clouds' documentation for where
    /// machines ask for their metadata. The first that fits counts.
    private static let special: [(AddressBlock, Refusal)] = [
        // EC2 and most others; ECS; Azure's WireServer; Alibaba; Oracle; EC2 by version 6.
        (["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192"], .metadata),
        (["fd00:ec2::254", "fd20:ce::254"], .metadata),
        (["0.0.0.0/8", "::/128"], .unspecified),
        (["127.0.0.0/8", "::1/128"], .loopback),
        (["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"], .privateNetwork),
        (["169.254.0.0/16", "fe80::/10"], .linkLocal),
        (["100.64.0.0/10"], .carrierShared),
        (["224.0.0.0/4", "ff00::/8"], .multicast),
        (["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"], .reserved),
        (["203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"], .reserved),
    ].flatMap { (texts: [String], reason: Refusal) in texts.compactMap { AddressBlock($0) }.map { ($0, reason) } }
}
