package import HTTPTransfer
package import Model
package import ObjectsS3
internal import S3
package import StoreEdge
package import WorkerCore

/// Objects in the pool's store for a worker that has no keys to it: bytes go by URLs that the control service signs, one
/// job's and no other's, and everything else is done by the service, on its records.
///
/// The store is wherever those URLs lead: the service is trusted with that, as it is with the job itself. So there is no
/// guard of addresses here; and no redirect is followed, since nobody vouches for where it leads.
package struct EdgeObjects: StoredObjects {
    private let control: EdgeControl
    private let presigned: S3Presigned
    private let uploads: OpenUploads
    private let context: JobContext
    private let clock: any PoolClock
    private let report: @Sendable (String, Failure) -> Void

    /// - Parameters:
    ///   - client: the way to the control service.
    ///   - worker: this worker's name, as its leases have it.
    ///   - http: the way to the store. It has nothing of the way to the service: no token.
    ///   - report: hears of clearing up that failed, and is done by the service another time.
    package init(
        _ client: EdgeClient, worker: String, http: HTTPClient, clock: any PoolClock = SystemClock(),
        report: @escaping @Sendable (String, Failure) -> Void = { _, _ in }
    ) {
        self.init(
            EdgeControl(client: client, worker: worker), S3Presigned(http: http), OpenUploads(), JobContext(), clock,
            report)
    }

    private init(
        _ control: EdgeControl, _ presigned: S3Presigned, _ uploads: OpenUploads, _ context: JobContext,
        _ clock: any PoolClock, _ report: @escaping @Sendable (String, Failure) -> Void
    ) {
        (self.control, self.presigned, self.uploads) = (control, presigned, uploads)
        (self.context, self.clock, self.report) = (context, clock, report)
    }

    package func heeding(_ context: JobContext) -> any StoredObjects {
        EdgeObjects(control, presigned, uploads, context, clock, report)
    }

    // MARK: Reading

    package func open(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        guard let lease = context.lease else {
            throw Failure(code: .internalFault, message: "\(uri) is opened for no attempt")
        }
        let place = try S3Objects.place(uri, name: nil)
        let ranges = EdgeRanges(control, presigned, place: place, uri: uri, lease: lease, clock: clock)
        return try RangedSource(ranges, pool: context.pool, interruption: context.interruption)
    }

    // MARK: Writing

    /// What an owner may have written where is the service's to say, and it does when the attempt is fenced.
    package func checkOutput(_ uri: String, owner: String) throws(Failure) {
        guard S3Objects.isObject(uri) else { throw ObjectRules.refusal(uri) }
    }

    package func fence(_ lease: Lease, outputs: [String]) throws(Failure) {
        try control.fence(lease, outputs, context.stop)
    }

    package func stage(
        _ uri: String, name: String?, bounds: OutputBounds, for lease: Lease
    ) throws(Failure) -> any StagedObject {
        let place = try S3Objects.place(uri, name: name)
        uploads.discard(place.uri, of: lease)
        let uploadID = try control.begin(place.uri, lease, context.stop)
        let port = EdgeUpload(
            control, presigned, place: place, uploadID: uploadID, lease: lease, clock: clock, report: report)
        return uploads.stage(
            place.uri, for: lease, uploadID: uploadID, by: port, bounds: bounds, context: context)
    }

    package func commit(_ objects: [any StagedObject], for lease: Lease) throws(Failure) {
        var complete: [(object: StagedUpload, parts: [UploadedPart])] = []
        for object in objects.compactMap({ $0 as? StagedUpload }) {
            complete.append((object, try object.finishParts()))
        }
        for (object, parts) in complete {
            // Its object may exist from now on, and is on the service's record: so if the job fails it goes.
            object.seal()
            try control.complete(object.uri, lease, object.uploadID, parts, context.stop)
        }
    }

    // MARK: What is left

    // What attempts leave behind is on record at the service, which looks after it for all its workers.
    package func settle(_ lease: Lease, succeeded: Bool) {}
    package func unsettled() -> [Lease] { [] }
}
