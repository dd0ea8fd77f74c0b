package import WorkerCore

// MARK: Objects

extension EdgeWire {
    /// What is to be read, or begun to be uploaded, for a job.
    package struct NameObject: Codable, Sendable {
        package var worker: String
        package var lease: Lease
        package var uri: String
        package init(worker: String, lease: Lease, uri: String) {
            (self.worker, self.lease, self.uri) = (worker, lease, uri)
        }
    }

    package struct ReadableObject: Codable, Sendable {
        package var url: String
        /// For how long it is good, from when it was asked for.
        package var seconds: Int
        package var sizeBytes: Int64
        package var etag: String
        package init(_ object: SignedSource, seconds: Int) {
            (url, self.seconds) = (object.url, seconds)
            (sizeBytes, etag) = (object.sizeBytes, object.etag)
        }
    }

    package struct FenceObjects: Codable, Sendable {
        package var worker: String
        package var lease: Lease
        package var outputs: [String]
        package init(worker: String, lease: Lease, outputs: [String]) {
            (self.worker, self.lease, self.outputs) = (worker, lease, outputs)
        }
    }

    package struct BegunUpload: Codable, Sendable {
        package var uploadID: String
        private enum CodingKeys: String, CodingKey { case uploadID = "uploadId" }
        package init(uploadID: String) { self.uploadID = uploadID }
    }

    package struct PresignParts: Codable, Sendable {
        package var worker: String
        package var lease: Lease
        package var uri: String
        package var uploadID: String
        package var numbers: [Int]
        private enum CodingKeys: String, CodingKey {
            case worker, lease, uri
            case uploadID = "uploadId"
            case numbers
        }
        package init(worker: String, lease: Lease, uri: String, uploadID: String, numbers: [Int]) {
            (self.worker, self.lease, self.uri) = (worker, lease, uri)
            (self.uploadID, self.numbers) = (uploadID, numbers)
        }
    }

    package struct PresignedParts: Codable, Sendable {
        /// In the order of the numbers.
        package var urls: [String]
        package var seconds: Int
        package init(urls: [String], seconds: Int) { (self.urls, self.seconds) = (urls, seconds) }
    }

    package struct CompleteUpload: Codable, Sendable {
        package var worker: String
        package var lease: Lease
        package var uri: String
        package var uploadID: String
        package var parts: [UploadedPart]
        private enum CodingKeys: String, CodingKey {
            case worker, lease, uri
            case uploadID = "uploadId"
            case parts
        }
        package init(worker: String, lease: Lease, uri: String, uploadID: String, parts: [UploadedPart]) {
            (self.worker, self.lease, self.uri) = (worker, lease, uri)
            (self.uploadID, self.parts) = (uploadID, parts)
        }
    }

    package struct CompletedUpload: Codable, Sendable {
        package var etag: String
        package init(etag: String) { self.etag = etag }
    }

    package struct AbortUpload: Codable, Sendable {
        package var lease: Lease
        package var uri: String
        package var uploadID: String
        private enum CodingKeys: String, CodingKey {
            case lease, uri
            case uploadID = "uploadId"
        }
        package init(lease: Lease, uri: String, uploadID: String) {
            (self.lease, self.uri, self.uploadID) = (lease, uri, uploadID)
        }
    }
}
