package import HTTPTransfer
package import Model
package import WorkerCore

/// The way of one upload's parts to its store.
package protocol UploadPort: Sendable {
    /// Brings a part there, on the calling thread, which may block; retries are its own affair.
    ///
    /// - Parameters:
    ///   - number: from 1 on; the parts come in any order.
    ///   - bytes: must stay as they are until this returns.
    /// - Throws: `cancelled` within a second after the stop was raised.
    func send(_ number: Int, _ bytes: UnsafeRawBufferPointer, stop: TransferStop) throws(Failure) -> UploadedPart
    /// Ends the upload, of which no part is on its way any more, and strikes it off. What cannot be done now stays on record
    /// for whoever looks after what is left.
    func abort()
}
