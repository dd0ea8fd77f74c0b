// swift-tools-version: 6.2
import PackageDescription

/// One strict dialect for every target; warnings are errors, and C types cannot leak through an API.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "reelpool",
    products: [
        .executable(name: "reelpool", targets: ["reelpool"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // FFmpeg, as Debian and Ubuntu package it. Media is the only target that imports these two.
        .systemLibrary(
            name: "CFFmpeg",
            path: "Sources/C/CFFmpeg",
            pkgConfig: "libavformat libavcodec libavfilter libswscale libswresample libavutil",
            providers: [
                .apt([
                    "libavformat-dev", "libavcodec-dev", "libavfilter-dev", "libswscale-dev", "libswresample-dev",
                ])
            ]
        ),
        .target(name: "CFFmpegShims", dependencies: ["CFFmpeg"], path: "Sources/C/CFFmpegShims"),

        // Pure values and pure functions.
        .target(name: "Model", swiftSettings: strict),
        .target(name: "Planning", dependencies: ["Model"], swiftSettings: strict),

        // Effects: FFmpeg behind owned handles, then the jobs made of them.
        .target(name: "Media", dependencies: ["CFFmpeg", "CFFmpegShims", "Model"], swiftSettings: strict),
        .target(name: "Engine", dependencies: ["Media", "Model", "Planning"], swiftSettings: strict),
        .target(name: "FixtureHarness", dependencies: ["Engine", "Media", "Model"], swiftSettings: strict),

        // The pool: jobs, leases, policies and the ports to what holds them. Drivers are targets of their own.
        .target(
            name: "WorkerCore", dependencies: ["Model", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),

        .target(
            name: "PoolConfig",
            dependencies: ["WorkerCore", .product(name: "Configuration", package: "swift-configuration")],
            swiftSettings: strict),

        // The store of jobs: one schema and one logic, two drivers. StorePostgres alone imports libpq.
        .systemLibrary(
            name: "CPostgres", path: "Sources/C/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "SQLStore", dependencies: ["Model", "WorkerCore"], swiftSettings: strict),
        .target(
            name: "StorePostgres", dependencies: ["CPostgres", "Model", "SQLStore", "WorkerCore"],
            swiftSettings: strict),
        .target(
            name: "StoreSQLite",
            dependencies: ["Model", "SQLStore", "WorkerCore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),

        // Programs.
        .executableTarget(
            name: "reelpool",
            dependencies: [
                "Engine", "FixtureHarness", "Media", "Model", "Planning",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        // Measures the store; `make bench` runs it.
        .executableTarget(
            name: "store-bench", dependencies: ["SQLStore", "StorePostgres", "StoreSQLite", "WorkerCore"],
            path: "Benchmarks/StoreBench", swiftSettings: strict),

        // Tests. What several of them need is a library of its own.
        .target(
            name: "TestSupport", dependencies: ["Engine", "Media", "Model", "Planning"], path: "Tests/TestSupport",
            swiftSettings: strict),
        .testTarget(name: "ModelTests", dependencies: ["Model", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "PlanningTests", dependencies: ["Model", "Planning", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "MediaTests", dependencies: ["Media", "Model", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "Media", "Model", "Planning", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "FixtureHarnessTests", dependencies: ["FixtureHarness", "Media", "Model", "TestSupport", "reelpool"],
            swiftSettings: strict),
        .testTarget(
            name: "WorkerCoreTests", dependencies: ["Model", "TestSupport", "WorkerCore"], swiftSettings: strict),
        .testTarget(name: "PoolConfigTests", dependencies: ["PoolConfig", "WorkerCore"], swiftSettings: strict),
        .testTarget(name: "TidyTests", dependencies: ["Model", "TestSupport", "reelpool"], swiftSettings: strict),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "Model", "SQLStore", "StorePostgres", "StoreSQLite", "TestSupport", "WorkerCore", "store-writer",
            ], swiftSettings: strict),
        // Writes to a store until it is killed.
        .executableTarget(
            name: "store-writer", dependencies: ["SQLStore", "StoreSQLite", "WorkerCore"], path: "Tests/StoreWriter",
            swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["reelpool", "Model", "TestSupport"], swiftSettings: strict),
    ]
)
