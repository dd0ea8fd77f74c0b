internal import Glibc

/// How often the kernel killed for want of memory, counted where it tells most about this process.
enum OutOfMemoryKills {
    /// `nil` where nothing tells.
    static func count() -> Int? {
        controlGroupPaths().lazy.compactMap { number(named: "oom_kill", inFile: $0) }.first
            ?? number(named: "oom_kill", inFile: "/proc/vmstat")
    }

    /// Of this process's group, version 2 first. Source: cgroups(7), cgroup-v2 "memory.events".
    private static func controlGroupPaths() -> [String] {
        guard let text = read("/proc/self/cgroup") else { return [] }
        var paths: [String] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let group = parts[2] == "/" ? "" : String(parts[2])
            if parts[0] == "0" {
                // In a container the group's root is often mounted, not the host's.
                paths += ["/sys/fs/cgroup\(group)/memory.events", "/sys/fs/cgroup/memory.events"]
            } else if parts[1].split(separator: ",").contains("memory") {
                paths += [
                    "/sys/fs/cgroup/memory\(group)/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control",
                ]
            }
        }
        return paths
    }

    private static func number(named name: String, inFile path: String) -> Int? {
        guard let text = read(path) else { return nil }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int(words[1]) }
        }
        return nil
    }

    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var (bytes, chunk): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 16384))
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
