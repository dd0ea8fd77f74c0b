/// One setting: its name, what it may be, and what it does.
package struct Setting: Sendable {
    package enum Form: Sendable, Equatable {
        case text
        case secret
        /// A whole number in these bounds.
        case integer(ClosedRange<Int>)
        /// Such as `6g`, `512m` or `1048576`.
        case bytes
        case flag
        /// Words with commas between.
        case list
        /// `name=value` with commas between.
        case pairs
    }

    /// The environment variable; in a file the same in lower case, with dots for underscores.
    package let name: String
    package let form: Form
    package let standard: String?
    package let help: String

    init(_ name: String, _ form: Form, _ standard: String? = nil, _ help: String) {
        (self.name, self.form, self.standard, self.help) = (name, form, standard, help)
    }

    package var key: String { name.lowercased().split(separator: "_").joined(separator: ".") }
    package var isSecret: Bool { form == .secret }
}

/// Every setting there is. What is not here is refused, so that a misspelt one is not silently without effect.
package enum Settings {
    /// Variables that begin so are ours: an unknown one among them is a mistake.
    package static let prefixes = ["REELPOOL_", "RENDER_", "PROXY_", "PROBE_", "ANALYSIS_", "DOWNLOAD_"]

    package static let all: [Setting] =
        pool + objectStore + arrivals + service + credits
        + limits + ["RENDER", "PROXY", "PROBE", "ANALYSIS"].flatMap(caps)
        + downloads

    private static let pool = [
        Setting(
            "REELPOOL_DATABASE", .secret, "sqlite:reelpool.db",
            "Where jobs live: `postgresql://user:password@host/database`, or `sqlite:PATH` on one machine."),
        Setting(
            "REELPOOL_CONTROL", .text, nil,
            "For a worker without a database: the control service, `https://host`. Only an edge token goes with it."),
        Setting(
            "REELPOOL_CONTROL_CA", .text, nil,
            "A file with the authority that signed the control service's certificate."),
        Setting(
            "REELPOOL_NAME", .text, nil, "The worker's name, unique among live workers; the host's name by default."),
        Setting(
            "REELPOOL_KINDS", .list, "render,proxy,probe,analysis,download",
            "Kinds of jobs that the worker takes, or `none`."),
        Setting("REELPOOL_SLOTS", .integer(1...256), "1", "Jobs at a time."),
        Setting("REELPOOL_MEMORY", .bytes, nil, "Memory for all jobs together; the container's limit by default."),
        Setting(
            "REELPOOL_REQUIRE_SANDBOX", .flag, "false", "Refuse to start where the kernel lacks a part of the sandbox."),
        Setting("REELPOOL_ALLOW_LOCAL", .list, nil, "Folders below which tasks may name local files."),
        Setting(
            "REELPOOL_SOURCE_HOSTS", .list, nil,
            "Hosts, addresses and blocks that tasks' URLs may lead to though they are private."),
        Setting("REELPOOL_ALLOW_URLS", .flag, "true", "Whether tasks may name http and https URLs as sources."),
        Setting("REELPOOL_LEASE_SECONDS", .integer(1...3600), "30", "How long a job is held without a renewal."),
        Setting("REELPOOL_DRAIN_SECONDS", .integer(0...86_400), "30", "What running jobs get after SIGTERM."),
        Setting(
            "REELPOOL_CHUNK_SECONDS", .integer(0...3600), "30",
            "How much of a long render is encoded at a time, to survive a stop and be shared; 0 is all of it."),
        Setting(
            "REELPOOL_FONTS", .text, "/usr/share/fonts/truetype/dejavu",
            "The folder of the fonts that captions may name."),
        Setting("REELPOOL_MAX_ATTEMPTS", .integer(1...100), "3", "Attempts of a job whose sender does not say."),
        Setting(
            "REELPOOL_OWNER_RUNNING", .integer(1...10_000), "4", "Jobs of a kind that one owner has ready or running."),
        Setting(
            "REELPOOL_OWNER_QUEUED", .integer(1...10_000_000), "10000", "Jobs of a kind that one owner has not ended."),
        Setting("REELPOOL_KEEP_SUCCEEDED_DAYS", .integer(0...3650), "7", "How long successes are kept."),
        Setting("REELPOOL_KEEP_FAILED_DAYS", .integer(0...3650), "30", "How long other ended jobs are kept."),
        Setting("REELPOOL_LOG_LEVEL", .text, "info", "trace, debug, info, notice, warning, error or critical."),
    ]

    private static let objectStore = [
        Setting("REELPOOL_S3_ENDPOINT", .text, nil, "A store that speaks S3: `https://host` or `https://host:port`."),
        Setting(
            "REELPOOL_S3_PUBLIC_ENDPOINT", .text, nil,
            "Where pages and edge workers reach the store, if that is another address: it stands in the URLs they are given."
        ),
        Setting("REELPOOL_S3_REGION", .text, "auto", "The region that requests are signed for."),
        Setting("REELPOOL_S3_STYLE", .text, "path", "Where a bucket's name stands: path or virtual."),
        Setting("REELPOOL_S3_ACCESS_KEY", .secret, nil, "The id of the key."),
        Setting("REELPOOL_S3_SECRET_KEY", .secret, nil, "The key."),
        Setting("REELPOOL_S3_SESSION_TOKEN", .secret, nil, "The token of temporary keys."),
        Setting("REELPOOL_S3_CA_FILE", .text, nil, "A file with the authority that signed the store's certificate."),
        Setting("REELPOOL_S3_BUCKET_RAW", .text, nil, "The bucket of originals and proxies, `{raw}` in patterns."),
        Setting("REELPOOL_S3_BUCKET_EXPORTS", .text, nil, "The bucket of renders, `{exports}` in patterns."),
        Setting("REELPOOL_S3_BUCKET_ASSETS", .text, nil, "The bucket of pictures and music, `{assets}` in patterns."),
        Setting(
            "REELPOOL_S3_READ_ALLOW", .list, nil,
            "What tasks may read, such as `{raw}/{owner}`; `{raw}/clips`, `{raw}/uploads/{owner}`, `{exports}/exports` and "
                + "`{assets}` by default."),
        Setting(
            "REELPOOL_S3_WRITE_ALLOW", .list, nil,
            "What tasks may write; `{raw}/clips` and `{exports}/exports` by default."),
        Setting(
            "REELPOOL_S3_BROWSER_ORIGINS", .list, nil,
            "Origins of pages that upload straight to the store, such as `https://app.example`; for `storage init`."),
    ]

    private static let arrivals = [
        Setting("REELPOOL_BROKER", .secret, nil, "RabbitMQ: `amqp://user:password@host/vhost`, or `amqps:`."),
        Setting("REELPOOL_BROKER_CA", .text, nil, "A file with the authority that signed the broker's certificate."),
        Setting("REELPOOL_QUEUES_NATIVE", .list, "reelpool.tasks", "Queues of messages in Reelpool's own form."),
        Setting("REELPOOL_QUEUES_TASKIQ", .list, nil, "Queues of TaskIQ's messages, such as `taskiq`."),
        Setting("REELPOOL_TASKIQ_EXCHANGE", .text, "taskiq", "`exchange` of TaskIQ's broker."),
        Setting("REELPOOL_TASKIQ_DEAD_LETTER", .text, "taskiq.dead_letter", "`dead_letter_queue` of TaskIQ's broker."),
        Setting("REELPOOL_TASKIQ_PREFIX", .text, nil, "`prefix_str` of TaskIQ's result backend."),
        Setting("REELPOOL_QUEUES_CELERY", .list, nil, "Queues of Celery's messages, such as `celery`."),
        Setting(
            "REELPOOL_QUEUE_QUARANTINE", .text, "reelpool.quarantine", "Where messages go that cannot be understood."),
        Setting(
            "REELPOOL_TASK_NAMES", .pairs, nil, "Senders' task names: `app.tasks.export=render,app.tasks.proxy=proxy`."),
        Setting("REELPOOL_REDIS", .secret, nil, "Progress and foreign results: `redis://:password@host/0`."),
        Setting("REELPOOL_RESULT_SECONDS", .integer(1...31_536_000), "86400", "How long results stay in Redis."),
        Setting(
            "REELPOOL_RESULT_FORM", .text, "pickle",
            "How TaskIQ's clients read results: pickle, as `taskiq-redis` does unless told otherwise, or json."),
    ]

    private static let service = [
        Setting("REELPOOL_HTTP_HOST", .text, "127.0.0.1", "Where the service listens."),
        Setting("REELPOOL_HTTP_PORT", .integer(0...65_535), "8080", "The service's port."),
        Setting("REELPOOL_API_TOKEN", .secret, nil, "The bearer token of the scheduler's interface."),
        Setting(
            "REELPOOL_EDGE_TOKEN", .secret, nil,
            "The bearer token of workers without a database: what the service asks for and what they show."),
        Setting(
            "REELPOOL_EDGE_URL_SECONDS", .integer(1...604_800), "900",
            "How long the signed URLs are good for by which such workers read and write objects."),
        Setting("REELPOOL_WEBHOOK_SECRET", .secret, nil, "Signs webhooks."),
        Setting(
            "REELPOOL_STRIPE_WEBHOOK_SECRET", .secret, nil,
            "What Stripe signs its events with, `whsec_...`; with it the service takes them at `/v1/stripe/webhook`."),
        Setting(
            "REELPOOL_STRIPE_PRICES", .text, nil,
            "What Stripe's prices come to in credits: `price_1=100,price_2=12.5`, or JSON; 0 for what is sold beside credit."
        ),
        Setting(
            "REELPOOL_STRIPE_KEY", .secret, nil,
            "A restricted key that may read checkout sessions, to ask what was bought: events do not say."),
        Setting("REELPOOL_STRIPE_URL", .text, "https://api.stripe.com", "Where Stripe's interface is."),
        Setting(
            "REELPOOL_WEBHOOK_HOSTS", .list, nil, "Hosts that webhooks may go to though their addresses are private."),
    ]

    private static let credits: [Setting] =
        [
            Setting(
                "REELPOOL_RATES", .text, nil,
                "A file with the rate card. Without it nothing has a price, and nobody is billed."),
            Setting(
                "REELPOOL_CHARGED_FAILURES", .list, nil,
                "Categories of failures that are charged all the same, such as `invalidInput`; by default none."),
            Setting(
                "REELPOOL_REFUND_WEBHOOK", .secret, nil,
                "An https URL that is told, signed, when a job that failed is to be refunded, or was released."),
            Setting(
                "REELPOOL_OWNER_FIELDS", .list, "owner,user_id",
                "Labels, headers or arguments of TaskIQ's and Celery's tasks that say whose a job is, in turn."),
        ]
        + [
            ("HTTP", "internal", "by HTTP"), ("CLI", "internal", "by `reelpool submit`"),
            ("NATIVE", "external", "by messages in Reelpool's own form"), ("TASKIQ", "external", "by TaskIQ"),
            ("CELERY", "external", "by Celery"),
        ].map { name, usual, way in
            Setting(
                "REELPOOL_BILLING_\(name)", .text, nil,
                "Who keeps the books for what comes in \(way): external, internal or off. With rates: \(usual).")
        }

    private static let limits = [
        Setting("MAX_VIDEO_DURATION_MINUTES", .integer(1...10_000), "90", "The longest source."),
        Setting("MAX_VIDEO_SIZE_GB", .integer(1...10_000), "10", "The largest source."),
    ]

    /// In the daemon itself, so that there is no process with threads and a cap of its own.
    private static let downloads = [
        Setting("DOWNLOAD_MEMORY", .bytes, "128m", "Memory that is set aside for one download."),
        Setting("DOWNLOAD_CPUS", .text, nil, "The container's share, for compose files; not used by the worker."),
        Setting("DOWNLOAD_TIMEOUT_MINUTES", .integer(1...100_000), "240", "The longest download."),
        Setting("DOWNLOAD_STALL_SECONDS", .integer(1...86_400), "30", "How long a server may send nothing."),
        Setting("DOWNLOAD_MAX_OUTPUT", .bytes, nil, "The largest download; MAX_VIDEO_SIZE_GB by default."),
    ]

    private static func caps(_ kind: String) -> [Setting] {
        let (memory, threads, minutes) =
            switch kind {
            case "RENDER": ("6g", "4", "240")
            case "PROXY": ("3g", "3", "180")
            case "ANALYSIS": ("2g", "2", "120")
            default: ("512m", "1", "2")
            }
        return [
            Setting("\(kind)_MEMORY", .bytes, memory, "Memory of one such job; more, and it is stopped."),
            Setting("\(kind)_FFMPEG_THREADS", .integer(1...256), threads, "Threads of one such job."),
            Setting("\(kind)_CPUS", .text, nil, "The container's share, for compose files; not used by the worker."),
            Setting("\(kind)_TIMEOUT_MINUTES", .integer(1...100_000), minutes, "The longest such job."),
            Setting("\(kind)_STALL_SECONDS", .integer(1...86_400), "120", "The longest time without progress."),
            Setting("\(kind)_MAX_OUTPUT", .bytes, "50g", "The largest output of one such job."),
        ]
    }
}
