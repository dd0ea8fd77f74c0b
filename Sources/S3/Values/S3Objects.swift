/// What a store says of an object.
package struct S3ObjectInfo: Sendable, Equatable {
    package var sizeBytes: Int64
    /// Without its quotes; another one means another object.
    package var etag: String
    package var contentType: String?
    /// As the store writes it.
    package var modified: String?

    package init(sizeBytes: Int64, etag: String, contentType: String? = nil, modified: String? = nil) {
        (self.sizeBytes, self.etag, self.contentType, self.modified) = (sizeBytes, etag, contentType, modified)
    }
}

/// An object in a list.
package struct S3ListedObject: Sendable, Equatable {
    package var place: S3Place
    package var sizeBytes: Int64
    package var etag: String
    package var modified: String?
}

/// A part of an upload that the store has.
package struct S3Part: Sendable, Equatable {
    /// 1...10,000.
    package var number: Int
    package var etag: String

    package init(number: Int, etag: String) { (self.number, self.etag) = (number, etag) }
}

/// An upload that is neither complete nor aborted.
package struct S3Upload: Sendable, Equatable {
    package var place: S3Place
    package var uploadID: String
    /// As the store writes it.
    package var begunAt: String

    package init(place: S3Place, uploadID: String, begunAt: String) {
        (self.place, self.uploadID, self.begunAt) = (place, uploadID, begunAt)
    }
}

/// On what something is put. Not every store heeds it: JuiceFS does not.
package enum S3Condition: Sendable, Equatable {
    case none
    /// That the object there has this ETag.
    case ifMatch(String)
    /// That there is none.
    case ifAbsent

    var headers: [S3Field] {
        switch self {
        case .none: []
        case .ifMatch(let etag): [("If-Match", ETag.quoted(etag))]
        case .ifAbsent: [("If-None-Match", "*")]
        }
    }
}
