internal import Glibc
internal import Isolation
internal import Media

/// The program that touches media for the pool: started once as a template, forked for every job.
///
/// There is no other way to use it: it takes bytes from, and gives bytes to, the daemon that started it. Until a job
/// begins it must stay on one thread, so nothing here is asynchronous.
@main
enum ReelpoolCodec {
    static func main() {
        guard CommandLine.arguments.dropFirst().elementsEqual(["template", "--channel-fd", "3"]) else {
            complain("is started by reelpoold, as: reelpool-codec template --channel-fd 3")
            exit(64)
        }
        LogCapture.quietenEncoders()
        LibraryMemory.keepSmall()
        LogCapture.install()
        WarmUp.run()
        do throws(IsolationError) {
            try TemplateLoop.announce()
            guard let child = try TemplateLoop.serve() else { exit(0) }
            // A thread of its own: what libraries remember of the first thread is the template's.
            try DedicatedThread.run { JobRunner.run(child) }
        } catch {
            complain([error.message, error.detail].compactMap(\.self).joined(separator: ": "))
        }
        endProcess(status: 70)
    }

    private static func complain(_ text: String) {
        let line = "reelpool-codec: \(text)\n"
        _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
