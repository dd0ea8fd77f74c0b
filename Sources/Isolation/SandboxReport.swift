internal import CLinux

/// What keeps a job's process in, as that process found it when it shut itself in.
package struct SandboxReport: Sendable, Equatable, Codable {
    /// The walls, each on its own; docs/sandbox.md says what it holds back.
    package enum Measure: String, Sendable, Codable, CaseIterable {
        case noNewPrivileges, seccomp, landlock, diesWithParent, limits, notDumpable, unprivileged, ownGroup
        case descriptorsClosed, emptyEnvironment
    }

    package var applied: Set<Measure>
    /// 0 where the kernel has no Landlock. 4 adds TCP, 6 abstract sockets and signals. Source: landlock(7).
    package var landlockABI: Int
    package var seconds: Double

    package init(applied: Set<Measure>, landlockABI: Int, seconds: Double) {
        (self.applied, self.landlockABI, self.seconds) = (applied, landlockABI, seconds)
    }

    /// What this kernel, or the container around, did not let the process do; in a stable order.
    package var missing: [Measure] { Measure.allCases.filter { !applied.contains($0) } }
    /// Whether every wall stands; `--require-sandbox` asks for no less.
    package var isComplete: Bool { missing.isEmpty }

    /// As a process tells in its first message.
    package init(greeting: ChannelMessage) {
        self.init(
            applied: Set(Measure.allCases.filter { greeting.resource & $0.bit != 0 }),
            landlockABI: Int(greeting.slot), seconds: Double(max(0, greeting.offset)) / 1e9)
    }
}

extension SandboxReport.Measure {
    fileprivate var bit: UInt32 {
        let value =
            switch self {
            case .noNewPrivileges: RP_SANDBOX_NO_NEW_PRIVILEGES
            case .seccomp: RP_SANDBOX_SECCOMP
            case .landlock: RP_SANDBOX_LANDLOCK
            case .diesWithParent: RP_SANDBOX_DIES_WITH_PARENT
            case .limits: RP_SANDBOX_LIMITS
            case .notDumpable: RP_SANDBOX_NOT_DUMPABLE
            case .unprivileged: RP_SANDBOX_UNPRIVILEGED
            case .ownGroup: RP_SANDBOX_OWN_GROUP
            case .descriptorsClosed: RP_SANDBOX_DESCRIPTORS_CLOSED
            case .emptyEnvironment: RP_SANDBOX_EMPTY_ENVIRONMENT
            }
        return UInt32(value)
    }
}
