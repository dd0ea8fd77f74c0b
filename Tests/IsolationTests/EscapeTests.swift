import CodecHost
import Foundation
import Glibc
import Isolation
import Model
import TestSupport
import Testing

/// Code that runs inside the sandbox and wants out.
@Suite("An attack from inside")
struct EscapeTests {
    /// Refused, and the process lives on to say so.
    static let refused = [
        "open", "open-write", "openat2", "open-tmpfile", "creat", "proc-own-memory", "proc-environ", "stat", "access",
        "readlink", "getcwd", "chdir", "mkdir", "unlink", "rename", "write-null-device", "truncate-channel",
        "socket-inet", "socket-inet6", "socket-unix", "socket-netlink", "socket-packet", "socketpair",
        "connect-channel", "pass-descriptor", "take-descriptor", "fork", "vfork", "clone-parent", "clone-newuser",
        "clone3", "kill-all", "setpgid", "setsid", "schedule-realtime", "memfd", "shared-memory", "huge-pages",
        "shmget", "writable-code", "writable-code-later", "lock-memory", "raise-fsize", "raise-files", "pipe",
        "eventfd", "dup", "seccomp-again", "undeath", "dumpable", "setuid-root", "capset",
    ]
    /// The same against another process, here the test's own.
    static let refusedAgainstOthers = [
        "victim-memory", "victim-environ", "kill-victim", "signal-victim", "tgkill-victim", "sigqueue-victim",
        "nice-victim", "limit-victim",
    ]
    /// Nothing that a media library ever does: the process ends at once.
    static let deadly = [
        "execve", "execveat", "system", "ptrace-victim", "process-vm-read", "pidfd-open", "io_uring", "unshare",
        "setns", "mount", "chroot", "bpf", "perf", "userfaultfd", "keyctl", "set-clock",
    ]

    private static func attempt(_ name: String) async throws -> ChildEnding {
        try await Attacker.template.fork().run(
            try Attacker.job("escape:\(name):\(getpid())"), files: AttackerFiles())
    }

    @Test("is refused", arguments: refused + refusedAgainstOthers)
    func isRefused(name: String) async throws {
        let reason = try Attacker.number(try await Self.attempt(name))
        #expect([EPERM, EACCES, ENOSYS].contains(reason), "\(name): errno \(reason)")
    }

    @Test("ends the attacker", arguments: deadly)
    func isDeadly(name: String) async throws {
        let ending = try await Self.attempt(name)
        #expect(ending.outcome == .crashed(signal: SIGSYS), "\(name)")
        #expect(ending.outcome.failure?.code == .sandboxViolation)
    }

    @Test("by another architecture's system calls ends the attacker", arguments: ["int80", "x32"])
    func otherArchitecture(name: String) async throws {
        let ending = try await Self.attempt(name)
        #if arch(x86_64)
            // A kernel without the 32-bit entry ends it by itself.
            #expect([.crashed(signal: SIGSYS), .crashed(signal: SIGSEGV)].contains(ending.outcome))
        #else
            let answer = try Attacker.number(ending)
            #expect(answer == -1)
        #endif
    }

    @Test("leaves nothing in the file system and nobody harmed")
    func nothingLeft() async throws {
        for name in ["open-write", "creat", "mkdir", "kill-all", "execve"] { _ = try await Self.attempt(name) }
        for path in ["/tmp/reelpool-escaped", "/dev/shm/reelpool-escaped"] {
            #expect(!FileManager.default.fileExists(atPath: path))
        }
        try await Attacker.expectOthersUnharmed()
    }

    @Test("finds no environment, whatever the daemon's is")
    func environment() async throws {
        // Not set here: other tests start processes, and read what would be changed under them.
        #expect(!ProcessInfo.processInfo.environment.isEmpty)
        let template = CodecTemplate(.init(program: Programs.hostile))
        defer { template.stop() }
        let ending = try await template.fork().run(try Attacker.job("environment"), files: AttackerFiles())
        let answer = try Attacker.number(ending)
        #expect(answer == 0)
        let process = try #require(template.processIdentifier)
        let environment = try bytes(ofFile: "/proc/\(process)/environ")
        #expect(environment.isEmpty)
    }

    @Test("finds four descriptors: nothing, nothing, nothing, and its channel")
    func descriptors() async throws {
        let ending = try await Attacker.template.fork().run(try Attacker.job("descriptors"), files: AttackerFiles())
        let open = try Attacker.number(ending)
        #expect(open == 0b1111)
    }

    @Test("by memory is ended at its cap")
    func memory() async throws {
        var limits = Attacker.limits
        limits.memoryBytes = 200 << 20
        let ending = try await Attacker.template.fork().run(
            try Attacker.job("memory:\(64 << 30)", limits: limits), files: AttackerFiles())
        #expect(ending.outcome == .killed(.memory))
        #expect(ending.outcome.failure?.code == .memoryLimit)
        #expect(ending.metrics.peakMemoryBytes > 200 << 20)
    }

    @Test("by threads is ended")
    func threads() async throws {
        let ending = try await Attacker.template.fork().run(try Attacker.job("threads:100000"), files: AttackerFiles())
        guard case .killed(.violation) = ending.outcome else {
            Issue.record("it came to \(ending.outcome)")
            return
        }
    }

    @Test("that crashes says so", arguments: [("segv", SIGSEGV), ("abort", SIGABRT), ("ill", SIGILL), ("bus", SIGBUS)])
    func crash(name: String, signal: Int32) async throws {
        let ending = try await Attacker.template.fork().run(try Attacker.job("crash:\(name)"), files: AttackerFiles())
        // A trap is SIGILL here and SIGTRAP elsewhere.
        #expect(
            ending.outcome == .crashed(signal: signal) || name == "ill" && ending.outcome == .crashed(signal: SIGTRAP))
        #expect(ending.outcome.failure?.code == .crashed)
    }

    @Test("that exits without a word has crashed")
    func exits() async throws {
        let ending = try await Attacker.template.fork().run(try Attacker.job("crash:exit"), files: AttackerFiles())
        #expect(ending.outcome == .crashed(signal: nil))
        #expect(ending.outcome.failure?.code == .crashed)
    }
}
