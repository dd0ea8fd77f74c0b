package import Model

/// Uploads that pages and programs make straight to the object store, by URLs that the service hands out: their bytes never
/// pass through it, and no credential leaves it.
///
/// All functions may block: call them on a thread that may.
package protocol UploadDesk: Sendable {
    /// - Parameter key: the caller's name of this request; the same request by the same name is the same upload.
    func begin(_ wanted: WantedUpload, key: String?) throws(Failure) -> DirectUpload
    /// URLs of so many parts from a number on, good for so long as those of `begin`.
    func parts(_ id: String, owner: String, from first: Int, count: Int) throws(Failure) -> DirectUpload
    /// Makes the object of its parts where it has some, and looks whether it is what was announced. What is not is deleted.
    ///
    /// Once more has the same answer.
    func complete(_ id: String, owner: String, parts: [UploadedPart]) throws(Failure) -> DirectUpload
    /// Aborts what is not complete, and deletes what is. Also when there is nothing.
    func drop(_ id: String, owner: String) throws(Failure)
}

/// What is going to be uploaded.
package struct WantedUpload: Sendable, Equatable {
    package var owner: String
    /// For people: the key ends with what is left of it.
    package var name: String
    package var sizeBytes: Int64
    package var contentType: String

    package init(owner: String, name: String, sizeBytes: Int64, contentType: String) {
        (self.owner, self.name, self.sizeBytes, self.contentType) = (owner, name, sizeBytes, contentType)
    }
}

/// An upload, and what its owner needs for what comes next.
package struct DirectUpload: Sendable, Equatable {
    package enum State: String, Sendable { case waiting, complete }

    /// One request that is signed.
    package struct Put: Sendable, Equatable {
        /// From 1 on; `nil` where it is the whole object.
        package var part: Int?
        package var sizeBytes: Int64
        /// A secret for as long as it is good.
        package var url: String

        package init(part: Int? = nil, sizeBytes: Int64, url: String) {
            (self.part, self.sizeBytes, self.url) = (part, sizeBytes, url)
        }
    }

    /// Carries all that is known of the upload, signed.
    package var id: String
    package var state: State
    /// What a task names as its source once it is complete.
    package var uri: String
    package var wanted: WantedUpload
    /// Of every part but the last; `nil` for an upload in one piece.
    package var partBytes: Int64?
    package var partCount = 1
    /// To be done next; of many parts only some.
    package var puts: [Put] = []
    /// Until when their URLs are good.
    package var putsExpireAt: StoreTime?
    /// Until when it can be completed.
    package var expiresAt: StoreTime
    /// Of the complete object.
    package var etag: String?

    package init(
        id: String, state: State, uri: String, wanted: WantedUpload, partBytes: Int64?, partCount: Int,
        expiresAt: StoreTime
    ) {
        (self.id, self.state, self.uri, self.wanted) = (id, state, uri, wanted)
        (self.partBytes, self.partCount, self.expiresAt) = (partBytes, partCount, expiresAt)
    }
}
