import Testing

/// Where the tests' program begins. SwiftPM makes one itself where there is none, and needs an index of all sources for it,
/// only to look for XCTest's tests, of which there are none.
@main
struct Runner {
    static func main() async { await Testing.__swiftPMEntryPoint() as Never }
}
