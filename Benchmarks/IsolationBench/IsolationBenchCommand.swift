internal import CodecHost
internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import Isolation
internal import Model

/// Measures what a job's process costs, and prints it as one JSON object.
///
/// For throughput it is its own template: its children read and write without looking at the bytes.
@main
enum IsolationBenchCommand {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "template": BenchChild.serve()
        case "measure" where arguments.count >= 3:
            let rounds = arguments.count > 3 ? Int(arguments[3]) ?? 200 : 200
            IsolationBench.run(codec: arguments[1], media: arguments[2], rounds: max(20, rounds))
        default:
            print("usage: isolation-bench measure PATH-OF-REELPOOL-CODEC MEDIA-FILE [ROUNDS]")
            exit(64)
        }
    }
}

/// The middle and the edge of many measurements.
struct Quantiles: Encodable {
    var p50: Double
    var p90: Double
    var p99: Double
    var count: Int

    /// In milliseconds, of seconds.
    init(milliseconds seconds: [Double]) {
        let sorted = seconds.sorted()
        func at(_ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
            return (sorted[index] * 1e6).rounded() / 1000
        }
        (p50, p90, p99, count) = (at(0.5), at(0.9), at(0.99), sorted.count)
    }
}

/// Seconds on a clock that does not jump.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
