import Model
import Testing
import WorkerCore

@Suite("A download's task")
struct DownloadTaskTests {
    private static func task(_ payload: String) throws -> DownloadTask? {
        guard case .download(let task) = try TaskDocument(kind: .download, payload: payload) else { return nil }
        return task
    }

    private static func code(_ payload: String) -> FailureCode? {
        do {
            _ = try task(payload)
            return nil
        } catch {
            return Failure(error).code
        }
    }

    @Test("says what is read and written, and may bound it")
    func whole() throws {
        let text = """
            {"source": "https://h/a.mp4", "output": "s3://raw/a.mp4", "max_bytes": 10, "expires_at": "2026-01-02T03:04:05+01:00"}
            """
        let document = try TaskDocument(kind: .download, payload: text)
        #expect(document.sources == ["https://h/a.mp4"] && document.outputs == ["s3://raw/a.mp4"])
        let task = try Self.task(text)
        #expect(task?.maxBytes == 10 && task?.expiresAt == 1_767_319_445_000)
        let least = try Self.task(#"{"source": "HTTP://h", "output": "/o"}"#)
        #expect(least?.maxBytes == nil && least?.expiry == nil)
    }

    @Test(
        "is refused with anything else in it",
        arguments: [
            (#"{"source": "https://h/a", "output": "/o", "max": 1}"#, FailureCode.unknownField),
            (#"{"source": "https://h/a"}"#, .invalidTask), (#"{"output": "/o"}"#, .invalidTask),
            (#"{"source": "s3://raw/a", "output": "/o"}"#, .invalidTask),
            (#"{"source": "/etc/passwd", "output": "/o"}"#, .invalidTask),
            (#"{"source": "file:///etc/passwd", "output": "/o"}"#, .invalidTask),
            (#"{"source": "https://", "output": "/o"}"#, .invalidTask),
            (#"{"source": "https:///a", "output": "/o"}"#, .invalidTask),
            (#"{"source": "https://h/a b", "output": "/o"}"#, .invalidTask),
            (#"{"source": "https://h/\n", "output": "/o"}"#, .invalidTask),
            (#"{"source": "https://h/a", "output": "/o", "max_bytes": 0}"#, .invalidTask),
            (#"{"source": "https://h/a", "output": "/o", "max_bytes": "1g"}"#, .invalidTask),
            (#"{"source": "https://h/a", "output": "/o", "expires_at": "tomorrow"}"#, .invalidTask),
        ])
    func refused(payload: String, code: FailureCode) { #expect(Self.code(payload) == code) }

    @Test("has a URL that is not without end")
    func longURL() {
        let long = String(repeating: "a", count: 9000)
        #expect(Self.code(#"{"source": "https://h/\#(long)", "output": "/o"}"#) == .invalidTask)
    }

    @Test(
        "knows when its URL runs out",
        arguments: [
            // 2013-05-24T00:00:00Z, and a day.
            ("https://b.s3.amazonaws.com/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400", 1_369_440_000_000),
            ("https://h/k?a=b&x-amz-expires=0&x-amz-date=20130524T000000Z#f", 1_369_353_600_000),
            ("https://h/k?X-Goog-Date=20130524T000000Z&X-Goog-Expires=1", 1_369_353_601_000),
            ("https://h/k?AWSAccessKeyId=A&Expires=1369440000&Signature=s%2F", 1_369_440_000_000),
            ("https://h/k?Expires=1369440000&Signature=s&Key-Pair-Id=K", 1_369_440_000_000),
        ])
    func expiry(url: String, moment: StoreTime) { #expect(URLExpiry.moment(of: url) == moment) }

    @Test(
        "has a URL that says nothing of it",
        arguments: [
            "https://h/k", "https://h/k?", "https://h/k?Expires=1369440000", "https://h/k?X-Amz-Expires=1",
            "https://h/k?X-Amz-Date=2013&X-Amz-Expires=1", "https://h/k?X-Amz-Date=20131324T000000Z&X-Amz-Expires=1",
            "https://h/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=-1",
            "https://h/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=99999999999999999999",
            "https://h/k#?X-Amz-Date=20130524T000000Z&X-Amz-Expires=1",
            "https://h/X-Amz-Date=20130524T000000Z&X-Amz-Expires=1",
        ])
    func endless(url: String) { #expect(URLExpiry.moment(of: url) == nil) }

    @Test("runs out by the earlier of what its sender and its URL say")
    func earlier() throws {
        func expiry(_ time: String) throws -> StoreTime? {
            let url = "https://h/k?X-Amz-Date=20130524T000000Z&X-Amz-Expires=60"
            return try Self.task(#"{"source": "\#(url)", "output": "/o", "expires_at": "\#(time)"}"#)?.expiry
        }
        #expect(try expiry("2013-05-24T00:00:30Z") == 1_369_353_630_000)
        #expect(try expiry("2014-05-24T00:00:30Z") == 1_369_353_660_000)
    }
}
