internal import Model
internal import WorkerCore

/// The ledger for threads that may block; a task of its own waits for the store.
struct BlockingLedger: Sendable {
    let ledger: any UploadLedger

    func begin(_ uri: String, for lease: Lease) throws(Failure) -> Bool {
        try wait { try await $0.beginUpload(uri, for: lease) }
    }

    func name(_ uri: String, _ uploadID: String, for lease: Lease) throws(Failure) -> Bool {
        try wait { try await $0.nameUpload(uri, uploadID, for: lease) }
    }

    func seal(_ uri: String, etag: String, for lease: Lease) throws(Failure) -> Bool {
        try wait { try await $0.sealUpload(uri, etag: etag, for: lease) }
    }

    func uploads(of job: JobID) throws(Failure) -> [UploadRecord] {
        try wait { try await $0.uploads(of: job) }
    }

    func left(limit: Int) throws(Failure) -> [UploadRecord] {
        try wait { try await $0.leftUploads(limit: limit) }
    }

    func forget(_ lease: Lease, _ uri: String) throws(Failure) {
        try wait { try await $0.forgetUploads(lease, uris: [uri]) }
    }

    private func wait<Value: Sendable>(
        _ call: @escaping @Sendable (any UploadLedger) async throws -> Value
    ) throws(Failure) -> Value {
        let answer = Watched<Result<Value, Failure>?>(nil)
        let ledger = ledger
        Task.detached {
            do {
                let value = try await call(ledger)
                answer.change { $0 = .success(value) }
            } catch {
                answer.change { $0 = .failure(Failure(error)) }
            }
        }
        return try answer.wait { $0 }.get()
    }
}
