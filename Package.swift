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
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
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

        // What brings messages and takes results: one importing target each.
        .systemLibrary(
            name: "CRabbitMQ", path: "Sources/C/CRabbitMQ", pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"])]),
        .target(name: "CRabbitMQShims", dependencies: ["CRabbitMQ"], path: "Sources/C/CRabbitMQShims"),
        .systemLibrary(name: "CHiredis", path: "Sources/C/CHiredis", providers: [.apt(["libhiredis-dev"])]),

        // Pure values and pure functions.
        .target(name: "Model", swiftSettings: strict),
        .target(name: "Planning", dependencies: ["Model"], swiftSettings: strict),

        // Effects: FFmpeg behind owned handles, then the jobs made of them.
        .target(name: "Media", dependencies: ["CFFmpeg", "CFFmpegShims", "Model"], swiftSettings: strict),
        .target(name: "Engine", dependencies: ["Media", "Model", "Planning"], swiftSettings: strict),
        .target(name: "FixtureHarness", dependencies: ["Engine", "Media", "Model"], swiftSettings: strict),

        // The pool: jobs, leases, policies and the ports to what holds them. Drivers are targets of their own.
        .target(name: "WorkerCore", dependencies: ["Model"], swiftSettings: strict),
        // Messages to jobs and jobs to answers, without a connection.
        .target(
            name: "Envelopes",
            dependencies: ["Model", "WorkerCore", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),
        .target(
            name: "QueueRabbitMQ", dependencies: ["CRabbitMQ", "CRabbitMQShims", "Model", "WorkerCore"],
            swiftSettings: strict),
        .target(
            name: "ProgressRedis", dependencies: ["CHiredis", "Envelopes", "Model", "WorkerCore"],
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
            name: "QueueTests",
            dependencies: ["Envelopes", "Model", "ProgressRedis", "QueueRabbitMQ", "TestSupport", "WorkerCore"],
            swiftSettings: strict),
        .testTarget(name: "TidyTests", dependencies: ["Model", "TestSupport", "reelpool"], swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["reelpool", "Model", "TestSupport"], swiftSettings: strict),
    ]
)
