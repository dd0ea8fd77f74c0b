internal import Glibc

/// An address of the Internet Protocol, of either version.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// As inet_pton reads it: no leading zeros, no short forms of version 4, no zone.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self = .v4(UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = withUnsafeBytes(of: six) { Self.v6(bytes: $0) }
    }

    /// - Parameter bytes: 16 of them, in network order.
    package static func v6(bytes: UnsafeRawBufferPointer) -> IPAddress {
        let high = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let low = bytes.dropFirst(8).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return .v6(high: high, low: low)
    }

    /// What a kernel or a resolver gives; `nil` for other families.
    ///
    /// - Parameter bytes: a `struct sockaddr` of its family's length.
    package init?(socketAddress bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sa_family_t>.size else { return nil }
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
            self = .v4(UInt32(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self = withUnsafeBytes(of: address) { Self.v6(bytes: $0) }
        default: return nil
        }
    }

    /// The address of version 4 that one of version 6 only carries: mapped (RFC 4291, 2.5.5.2), translated (RFC 6052,
    /// well-known prefix) or tunnelled to (6to4, RFC 3056).
    package var embedded: IPAddress? {
        guard case .v6(let high, let low) = self else { return nil }
        if high == 0, low >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: low)) }
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return .v4(UInt32(truncatingIfNeeded: low)) }
        if high >> 48 == 0x2002 { return .v4(UInt32(truncatingIfNeeded: high >> 16)) }
        return nil
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let value): return (0..<4).map { "\(value >> (24 - 8 * $0) & 0xFF)" }.joined(separator: ".")
        case .v6(let high, let low):
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// All addresses that begin with the same bits, written as `10.0.0.0/8`; a lone address is a block of one.
package struct AddressBlock: Hashable, Sendable {
    package let address: IPAddress
    package let prefixLength: Int

    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        let width = if case .v4 = address { 32 } else { 128 }
        var length = width
        if parts.count == 2 {
            guard parts[1].allSatisfy(\.isWholeNumber), let given = Int(parts[1]), given <= width else { return nil }
            length = given
        }
        (self.address, prefixLength) = (address, length)
    }

    package func contains(_ other: IPAddress) -> Bool {
        switch (address, other) {
        case (.v4(let own), .v4(let other)): prefixLength == 0 || (own ^ other) >> (32 - prefixLength) == 0
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
            if prefixLength <= 64 {
                prefixLength == 0 || (high ^ otherHigh) >> (64 - prefixLength) == 0
            } else {
                high == otherHigh && (low ^ otherLow) >> (128 - prefixLength) == 0
            }
        case (.v4, .v6), (.v6, .v4): false
        }
    }
}
