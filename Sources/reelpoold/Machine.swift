internal import FoundationEssentials
internal import Glibc
internal import PoolConfig

/// What this process runs on.
enum Machine {
    /// Memory: the container's where there is one, else the machine's.
    static func limits() -> MachineLimits {
        let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        let container = files.compactMap { path -> Int64? in
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            return Int64(text.filter { !$0.isWhitespace })
        }.min()
        return MachineLimits(memoryBytes: min(pages, container ?? pages), hostName: hostName())
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "worker" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A program that is installed beside this one.
    static func siblingProgram(_ name: String) -> String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(name)"
    }
}
