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
        .executable(name: "reelpool", targets: ["reelpool"]),
        .executable(name: "reelpool-codec", targets: ["reelpool-codec"]),
        .executable(name: "reelpoold", targets: ["reelpoold"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
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

        // Processes, sandboxes and descriptors. Isolation is the only target that imports it.
        .target(name: "CLinux", path: "Sources/C/CLinux"),
        // What brings messages, holds jobs and takes results: one importing target each.
        .systemLibrary(
            name: "CRabbitMQ", path: "Sources/C/CRabbitMQ", pkgConfig: "librabbitmq",
            providers: [.apt(["librabbitmq-dev"])]),
        .target(name: "CRabbitMQShims", dependencies: ["CRabbitMQ"], path: "Sources/C/CRabbitMQShims"),
        .systemLibrary(name: "CHiredis", path: "Sources/C/CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(
            name: "CPostgres", path: "Sources/C/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        // Transfers over HTTP. HTTPTransfer is the only target that imports these two.
        .systemLibrary(
            name: "CCurl", path: "Sources/C/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "CCurlShims", dependencies: ["CCurl"], path: "Sources/C/CCurlShims"),

        // Text on pictures. Lettering is the only target that imports it.
        .systemLibrary(
            name: "CAss", path: "Sources/C/CAss", pkgConfig: "libass", providers: [.apt(["libass-dev"])]),

        // Pure values and pure functions.
        .target(name: "Model", swiftSettings: strict),
        .target(name: "Planning", dependencies: ["Model"], swiftSettings: strict),
        // Coded video by its bits: what it takes to join copied and new packets in one stream.
        .target(name: "Bitstream", swiftSettings: strict),

        // Files that are whole or absent.
        .target(name: "LocalFiles", dependencies: ["Model"], swiftSettings: strict),

        // Effects: FFmpeg behind owned handles, then the jobs made of them.
        .target(name: "Media", dependencies: ["CFFmpeg", "CFFmpegShims", "Model"], swiftSettings: strict),
        .target(name: "Lettering", dependencies: ["CAss", "Model"], swiftSettings: strict),
        .target(
            name: "Engine", dependencies: ["Bitstream", "Lettering", "LocalFiles", "Media", "Model", "Planning"],
            swiftSettings: strict),
        .target(
            name: "FixtureHarness", dependencies: ["Engine", "Lettering", "LocalFiles", "Media", "Model"],
            swiftSettings: strict),

        // The pool: jobs, leases, policies and the ports to what holds them. Drivers are targets of their own.
        .target(
            name: "WorkerCore", dependencies: ["Model", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),

        .target(
            name: "PoolConfig",
            dependencies: [
                "Model", "WorkerCore", .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict),

        // The store of jobs: one schema and one logic, two drivers. StorePostgres alone imports libpq.
        .target(name: "SQLStore", dependencies: ["Model", "WorkerCore"], swiftSettings: strict),
        .target(
            name: "StorePostgres", dependencies: ["CPostgres", "Model", "SQLStore", "WorkerCore"],
            swiftSettings: strict),
        .target(
            name: "StoreSQLite",
            dependencies: ["Model", "SQLStore", "WorkerCore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),

        // The pool for workers that reach nothing but the control service: what is said, and the worker's side.
        .target(name: "EdgeWire", dependencies: ["Model", "WorkerCore"], swiftSettings: strict),
        .target(
            name: "StoreEdge", dependencies: ["EdgeWire", "HTTPTransfer", "Model", "WorkerCore"],
            swiftSettings: strict),

        // Messages to jobs and jobs to answers, without a connection; then the connections.
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

        // Bytes over HTTP, in and out.
        .target(
            name: "HTTPTransfer", dependencies: ["CCurl", "CCurlShims", "Model", "WorkerCore"], swiftSettings: strict),

        // Objects in stores that speak Amazon's S3.
        .target(
            name: "S3",
            dependencies: ["HTTPTransfer", "Model", "WorkerCore", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict),

        // Signed notices to receivers that senders named.
        .target(
            name: "Webhooks",
            dependencies: ["Envelopes", "HTTPTransfer", "WorkerCore", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),

        // What payment providers tell, and what that comes to.
        .target(
            name: "Payments",
            dependencies: [
                "HTTPTransfer", "Model", "WorkerCore", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // A process for each job: what both sides have in common, and the daemon's side. Neither knows of FFmpeg.
        .target(name: "Isolation", dependencies: ["CLinux", "Model"], swiftSettings: strict),
        .target(name: "CodecHost", dependencies: ["Isolation", "Model"], swiftSettings: strict),
        // What tasks may name on a machine's own disks.
        .target(name: "LocalObjects", dependencies: ["LocalFiles", "Model", "WorkerCore"], swiftSettings: strict),
        // What is behind URLs, into stores.
        .target(
            name: "Downloads",
            dependencies: [
                "HTTPTransfer", "Model", "WorkerCore", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: strict),
        // What tasks may name in a store, and behind URLs.
        .target(
            name: "ObjectsS3",
            dependencies: [
                "HTTPTransfer", "Model", "S3", "WorkerCore", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        // The same for workers without keys to the store, by way of the control service.
        .target(
            name: "ObjectsEdge",
            dependencies: ["EdgeWire", "HTTPTransfer", "Model", "ObjectsS3", "S3", "StoreEdge", "WorkerCore"],
            swiftSettings: strict),
        // The store of a configuration: reached, set up and looked at; for daemons and the command line.
        .target(
            name: "StoreSetup", dependencies: ["HTTPTransfer", "Model", "PoolConfig", "S3"],
            swiftSettings: strict),
        // Claimed jobs to processes: what they may read and write, and what became of them.
        .target(
            name: "MediaTasks",
            dependencies: [
                "CodecHost", "Isolation", "Model", "WorkerCore", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),

        // The scheduler's interface over HTTP, and what operators' machinery asks.
        .target(
            name: "Service",
            dependencies: [
                "EdgeWire", "Envelopes", "Model", "WorkerCore",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"), .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: strict),
        // Everything around a worker, put together.
        .target(
            name: "Pool",
            dependencies: [
                "CodecHost", "Downloads", "Envelopes", "HTTPTransfer", "Isolation", "LocalObjects", "MediaTasks",
                "Model", "ObjectsEdge", "ObjectsS3", "Payments", "PoolConfig", "ProgressRedis", "QueueRabbitMQ", "S3",
                "Service", "SQLStore", "StoreEdge", "StorePostgres", "StoreSQLite", "StoreSetup", "Webhooks",
                "WorkerCore",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // The requests of an operator or a terminal to stop.
        .target(name: "Signals", swiftSettings: strict),

        // Programs.
        .executableTarget(
            name: "reelpool",
            dependencies: [
                "Engine", "FixtureHarness", "HTTPTransfer", "Lettering", "LocalFiles", "Media", "Model", "Planning",
                "PoolConfig", "SQLStore", "Signals", "StorePostgres", "StoreSQLite", "StoreSetup", "WorkerCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "reelpoold",
            dependencies: [
                "Model", "Pool", "PoolConfig", "Signals", "WorkerCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        // What jobs run in. It knows of no network, queue or database.
        .executableTarget(
            name: "reelpool-codec", dependencies: ["Engine", "Isolation", "Lettering", "Media", "Model"],
            swiftSettings: strict),

        // What `make bench` measures parts of the pool with.
        .executableTarget(
            name: "isolation-bench", dependencies: ["CodecHost", "Isolation", "Model"],
            path: "Benchmarks/IsolationBench", swiftSettings: strict),
        .executableTarget(
            name: "queue-bench",
            dependencies: [
                "Model", "ProgressRedis", "QueueRabbitMQ", "WorkerCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/QueueBench", swiftSettings: strict),
        .executableTarget(
            name: "transfer-bench",
            dependencies: [
                "HTTPTransfer", "Model", "ObjectsS3", "S3", "SQLStore", "StoreSQLite", "WorkerCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/TransferBench", swiftSettings: strict),
        .executableTarget(
            name: "store-bench", dependencies: ["SQLStore", "StorePostgres", "StoreSQLite", "WorkerCore"],
            path: "Benchmarks/StoreBench", swiftSettings: strict),

        .executableTarget(
            name: "credit-bench", dependencies: ["SQLStore", "StorePostgres", "WorkerCore"],
            path: "Benchmarks/CreditBench", swiftSettings: strict),

        // Tests. What several of them need is a library of its own.
        .target(
            name: "TestSupport", dependencies: ["Engine", "HTTPTransfer", "Lettering", "Media", "Model", "Planning"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .testTarget(
            name: "LetteringTests", dependencies: ["Lettering", "Model", "Planning", "TestSupport"],
            swiftSettings: strict),
        .testTarget(name: "ModelTests", dependencies: ["Model", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "BitstreamTests", dependencies: ["Bitstream", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "PlanningTests", dependencies: ["Model", "Planning", "TestSupport"], swiftSettings: strict),
        .testTarget(name: "MediaTests", dependencies: ["Media", "Model", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "Lettering", "Media", "Model", "Planning", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "BrowserTests", dependencies: ["Engine", "Model", "TestSupport"], exclude: ["Player"],
            swiftSettings: strict),
        .testTarget(
            name: "FixtureHarnessTests", dependencies: ["FixtureHarness", "Media", "Model", "TestSupport", "reelpool"],
            swiftSettings: strict),
        // A program that attacks instead of working, in the sandbox that jobs run in.
        .target(name: "CEscape", path: "Tests/C/CEscape"),
        .executableTarget(
            name: "isolation-test-child", dependencies: ["CEscape", "CodecHost", "Isolation", "Model"],
            path: "Tests/IsolationTestChild", swiftSettings: strict),
        .testTarget(
            name: "WorkerCoreTests", dependencies: ["Model", "TestSupport", "WorkerCore"], swiftSettings: strict),
        .testTarget(
            name: "PoolTests",
            dependencies: [
                "LocalFiles", "LocalObjects", "Model", "SQLStore", "StoreSQLite", "TestSupport", "WorkerCore",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "PoolConfigTests", dependencies: ["Model", "PoolConfig", "WorkerCore"], swiftSettings: strict),
        .testTarget(
            name: "QueueTests",
            dependencies: [
                "Envelopes", "Model", "PoolTestSupport", "ProgressRedis", "QueueRabbitMQ", "TestSupport", "WorkerCore",
            ], swiftSettings: strict),
        .testTarget(
            name: "HTTPTransferTests", dependencies: ["HTTPTransfer", "Model", "TestSupport", "WorkerCore"],
            swiftSettings: strict),
        .testTarget(
            name: "S3Tests",
            dependencies: [
                "HTTPTransfer", "Model", "PoolTestSupport", "S3", "TestSupport", "WorkerCore",
            ], swiftSettings: strict),
        .testTarget(
            name: "DownloadTests",
            dependencies: [
                "Downloads", "LocalObjects", "Model", "TestSupport", "WorkerCore",
                .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ObjectsS3Tests",
            dependencies: [
                "Downloads", "EdgeWire", "Engine", "HTTPTransfer", "Media", "Model", "ObjectsEdge", "ObjectsS3",
                "PoolTestSupport", "S3", "SQLStore", "Service", "StoreEdge", "StoreSQLite", "TestSupport",
                "WorkerCore",
            ], swiftSettings: strict),
        .testTarget(
            name: "StoreSetupTests",
            dependencies: [
                "HTTPTransfer", "Model", "PoolConfig", "PoolTestSupport", "S3", "StoreSetup", "TestSupport", "reelpool",
            ], swiftSettings: strict),
        .testTarget(
            name: "WebhookTests",
            dependencies: [
                "Envelopes", "Model", "SQLStore", "StoreSQLite", "TestSupport", "Webhooks", "WorkerCore",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(name: "TidyTests", dependencies: ["Model", "TestSupport", "reelpool"], swiftSettings: strict),
        .testTarget(
            name: "IsolationTests",
            dependencies: [
                "CodecHost", "Engine", "Isolation", "LocalFiles", "Media", "Model", "TestSupport",
                "isolation-test-child", "reelpool-codec",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "StoreTests",
            dependencies: [
                "EdgeWire", "HTTPTransfer", "Model", "PoolTestSupport", "SQLStore", "StoreEdge", "StorePostgres",
                "StoreSQLite", "TestSupport", "WorkerCore", "store-writer",
            ], swiftSettings: strict),
        // Writes to a store until it is killed.
        .executableTarget(
            name: "store-writer", dependencies: ["SQLStore", "StoreSQLite", "WorkerCore"], path: "Tests/StoreWriter",
            swiftSettings: strict),
        .testTarget(
            name: "PoolCommandTests",
            dependencies: [
                "Model", "SQLStore", "StoreSQLite", "TestSupport", "WorkerCore", "reelpool", "reelpoold",
                "reelpool-codec",
            ],
            swiftSettings: strict),
        // Real servers, real daemons and the Python clients that talk to them.
        .target(
            name: "PoolTestSupport",
            dependencies: [
                "HTTPTransfer", "Model", "ProgressRedis", "QueueRabbitMQ", "S3", "Service", "StoreEdge", "TestSupport",
                "WorkerCore", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/PoolTestSupport", swiftSettings: strict),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "HTTPTransfer", "Model", "PoolTestSupport", "ProgressRedis", "S3", "SQLStore", "StorePostgres",
                "StoreSQLite", "TestSupport", "WorkerCore", "reelpool", "reelpoold", "reelpool-codec",
            ],
            swiftSettings: strict),
        // Injures a real pool while it works.
        .executableTarget(
            name: "fault-harness",
            dependencies: [
                "Model", "PoolTestSupport", "ProgressRedis", "QueueRabbitMQ", "SQLStore", "StorePostgres",
                "TestSupport", "WorkerCore",
                "reelpoold", "reelpool-codec", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
            ], path: "Tests/FaultHarness", swiftSettings: strict),
        .testTarget(
            name: "MediaTasksTests",
            dependencies: [
                "CodecHost", "Isolation", "LocalObjects", "MediaTasks", "Model", "SQLStore", "StoreSQLite",
                "TestSupport", "WorkerCore",
            ],
            swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["reelpool", "Model", "TestSupport"], swiftSettings: strict),
    ]
)
