internal import EdgeWire
internal import HTTPTransfer
internal import Model
internal import StoreEdge
internal import WorkerCore

/// What is asked of the control service about objects, on threads that may block. Each may be asked twice without harm.
struct EdgeControl: Sendable {
    /// Some stores copy all of an object to complete it.
    private static let completePatience = 600.0
    /// What cannot be aborted for so long is left to the service.
    private static let abortPatience = 20.0

    let client: EdgeClient
    let worker: String

    func read(_ uri: String, _ lease: Lease, _ stop: TransferStop) throws(Failure) -> EdgeWire.ReadableObject {
        try client.insist(
            "objects/read", EdgeWire.NameObject(worker: worker, lease: lease, uri: uri), stop: stop)
    }

    func fence(_ lease: Lease, _ outputs: [String], _ stop: TransferStop) throws(Failure) {
        let _: EdgeWire.Nothing = try client.insist(
            "objects/fence", EdgeWire.FenceObjects(worker: worker, lease: lease, outputs: outputs), stop: stop)
    }

    /// - Returns: the store's name of the upload.
    func begin(_ uri: String, _ lease: Lease, _ stop: TransferStop) throws(Failure) -> String {
        let begun: EdgeWire.BegunUpload = try client.insist(
            "objects/begin", EdgeWire.NameObject(worker: worker, lease: lease, uri: uri), stop: stop)
        return begun.uploadID
    }

    func parts(
        _ uri: String, _ lease: Lease, _ uploadID: String, _ numbers: [Int], _ stop: TransferStop
    ) throws(Failure) -> EdgeWire.PresignedParts {
        let message = EdgeWire.PresignParts(
            worker: worker, lease: lease, uri: uri, uploadID: uploadID, numbers: numbers)
        let signed: EdgeWire.PresignedParts = try client.insist("objects/parts", message, stop: stop)
        guard signed.urls.count == numbers.count else {
            throw Failure(code: .internalFault, message: "the control service forgot a part")
        }
        return signed
    }

    func complete(
        _ uri: String, _ lease: Lease, _ uploadID: String, _ parts: [UploadedPart], _ stop: TransferStop
    ) throws(Failure) {
        let message = EdgeWire.CompleteUpload(
            worker: worker, lease: lease, uri: uri, uploadID: uploadID, parts: parts)
        let _: EdgeWire.CompletedUpload = try client.insist(
            "objects/complete", message, patience: Self.completePatience, stop: stop)
    }

    func abort(_ uri: String, _ lease: Lease, _ uploadID: String) throws(Failure) {
        let _: EdgeWire.Nothing = try client.insist(
            "objects/abort", EdgeWire.AbortUpload(lease: lease, uri: uri, uploadID: uploadID), within: 10,
            patience: Self.abortPatience, stop: TransferStop())
    }
}
