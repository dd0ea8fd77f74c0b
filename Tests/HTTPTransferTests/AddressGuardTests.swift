import Testing
import WorkerCore

@Suite("The guard of addresses")
struct AddressGuardTests {
    static let refused: [(String, AddressGuard.Refusal)] = [
        ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("0.255.255.255", .unspecified), ("::", .unspecified),
        ("127.0.0.1", .loopback), ("127.255.255.254", .loopback), ("::1", .loopback),
        ("10.0.0.0", .privateNetwork), ("10.255.255.255", .privateNetwork), ("172.16.0.1", .privateNetwork),
        ("172.31.255.255", .privateNetwork), ("192.168.0.1", .privateNetwork), ("192.168.255.255", .privateNetwork),
        ("fc00::1", .privateNetwork), ("fdff:ffff::1", .privateNetwork), ("fec0::1", .privateNetwork),
        ("169.254.0.1", .linkLocal), ("169.254.255.255", .linkLocal), ("fe80::1", .linkLocal),
        ("febf:ffff::1", .linkLocal),
        ("169.254.169.254", .metadata), ("169.254.170.2", .metadata), ("168.63.129.16", .metadata),
        ("100.100.100.200", .metadata), ("192.0.0.192", .metadata), ("fd00:ec2::254", .metadata),
        ("fd20:ce::254", .metadata),
        ("100.64.0.0", .carrierShared), ("100.127.255.255", .carrierShared),
        ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("ff02::1", .multicast), ("ff0e::1", .multicast),
        ("192.0.0.1", .reserved), ("192.0.2.1", .reserved), ("192.88.99.1", .reserved), ("198.18.0.1", .reserved),
        ("198.19.255.255", .reserved), ("198.51.100.7", .reserved), ("203.0.113.9", .reserved),
        ("240.0.0.1", .reserved), ("255.255.255.255", .reserved), ("2001:db8::1", .reserved),
        ("2001::1", .reserved), ("2001:20::1", .reserved), ("3fff::1", .reserved), ("100::1", .reserved),
        ("5f00::1", .reserved), ("4000::1", .reserved), ("64:ff9b:1::a00:1", .reserved),
        // An address within another: mapped, compatible, translated, tunnelled.
        ("::ffff:127.0.0.1", .loopback), ("::ffff:10.1.2.3", .privateNetwork), ("::ffff:169.254.169.254", .metadata),
        ("::ffff:0.0.0.0", .unspecified), ("::127.0.0.1", .reserved), ("::8.8.8.8", .reserved),
        ("64:ff9b::127.0.0.1", .loopback), ("64:ff9b::192.168.1.1", .privateNetwork),
        ("64:ff9b::a9fe:a9fe", .metadata), ("2002:7f00:1::1", .loopback), ("2002:a00:1::", .privateNetwork),
        ("2002:a9fe:a9fe::1", .metadata), ("2002:c0a8:101::1", .privateNetwork),
    ]

    static let allowed = [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1",
        "2000::1", "2001:200::1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ]

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text), "\(text)") }

    @Test("refuses what is nowhere on the Internet", arguments: refused)
    func refuses(text: String, reason: AddressGuard.Refusal) throws {
        #expect(AddressGuard().refusal(of: try Self.address(text), host: "example.com") == reason)
    }

    @Test("lets through what is, up to the neighbours of every refused block", arguments: allowed)
    func allows(text: String) throws {
        #expect(AddressGuard().refusal(of: try Self.address(text), host: "example.com") == nil)
    }

    @Test("lets listed names lead to private addresses, and no others")
    func listedHosts() throws {
        let listed = AddressGuard(allowing: ["Hooks.Internal", "build.local."])
        for host in ["hooks.internal", "HOOKS.INTERNAL", "hooks.internal.", "build.local"] {
            #expect(listed.refusal(of: try Self.address("10.0.0.5"), host: host) == nil)
            #expect(listed.refusal(of: try Self.address("127.0.0.1"), host: host) == nil)
            #expect(listed.refusal(of: try Self.address("::1"), host: host) == nil)
        }
        for host in ["internal", "x.hooks.internal", "hooks.internal.example.com", "", "10.0.0.5"] {
            #expect(listed.refusal(of: try Self.address("10.0.0.5"), host: host) == .privateNetwork)
        }
    }

    @Test("never lets a listed name lead to a machine's credentials")
    func metadataOfListed() throws {
        let listed = AddressGuard(allowing: ["hooks.internal"])
        for text in ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "169.254.1.1", "fe80::1"] {
            #expect(listed.refusal(of: try Self.address(text), host: "hooks.internal") != nil, "\(text)")
        }
    }

    @Test("lets listed blocks and addresses be named by anyone")
    func listedBlocks() throws {
        let listed = AddressGuard(allowing: ["10.1.0.0/16", "127.0.0.1", "fd12::/16", "169.254.169.254/32"])
        for text in [
            "10.1.0.0", "10.1.255.255", "127.0.0.1", "fd12:3::4", "169.254.169.254", "::ffff:10.1.2.3",
            "64:ff9b::10.1.2.3",
        ] { #expect(listed.refusal(of: try Self.address(text), host: "a.example") == nil, "\(text)") }
        for text in ["10.2.0.0", "10.0.255.255", "127.0.0.2", "fd13::1", "169.254.169.253", "::1"] {
            #expect(listed.refusal(of: try Self.address(text), host: "a.example") != nil, "\(text)")
        }
    }

    // MARK: Addresses and blocks

    @Test(
        "reads only whole addresses", arguments: ["127.1", "0x7f000001", "2130706433", "010.0.0.1", "1.2.3", "", "::g"])
    func partial(text: String) {
        #expect(IPAddress(text) == nil)
        #expect(AddressBlock(text) == nil)
    }

    @Test(
        "writes addresses as it reads them",
        arguments: ["1.2.3.4", "255.0.0.1", "::", "::1", "2001:db8::8:800:200c:417a"])
    func roundTrip(text: String) throws {
        #expect("\(try Self.address(text))" == text)
    }

    @Test("knows the bounds of a block")
    func blocks() throws {
        func contains(_ block: String, _ text: String) throws -> Bool {
            try #require(AddressBlock(block), "\(block)").contains(try Self.address(text))
        }
        #expect(try contains("0.0.0.0/0", "255.255.255.255"))
        #expect(try !contains("0.0.0.0/0", "::1"))
        #expect(try contains("::/0", "ffff::"))
        #expect(try contains("192.0.2.7", "192.0.2.7") && !contains("192.0.2.7", "192.0.2.6"))
        #expect(try contains("192.0.2.128/25", "192.0.2.255") && !contains("192.0.2.128/25", "192.0.2.127"))
        #expect(
            try contains("2001:db8::/65", "2001:db8:0:0:7fff::") && !contains("2001:db8::/65", "2001:db8:0:0:8000::"))
        #expect(try contains("fd00::1/128", "fd00::1") && !contains("fd00::1/128", "fd00::2"))
        for text in ["1.2.3.4/33", "::/129", "1.2.3.4/-1", "1.2.3.4/", "1.2.3.4/a", "host/8"] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
    }

    @Test("reads addresses as the kernel writes them")
    func socketAddresses() {
        // Families 2 and 10, ports and flow before the address. Source: netinet/in.h.
        let four: [UInt8] = [2, 0, 0, 80, 10, 1, 2, 3] + [UInt8](repeating: 0, count: 8)
        let six: [UInt8] = [10, 0, 0, 80, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 15) + [1, 0, 0, 0, 0]
        #expect(four.withUnsafeBytes { IPAddress(socketAddress: $0) } == IPAddress("10.1.2.3"))
        #expect(six.withUnsafeBytes { IPAddress(socketAddress: $0) } == IPAddress("::1"))
        #expect(six.prefix(20).withUnsafeBytes { IPAddress(socketAddress: $0) } == nil)
        #expect([1, 0, 47, 116].withUnsafeBytes { IPAddress(socketAddress: $0) } == nil)
    }
}
