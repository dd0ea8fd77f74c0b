internal import Model
internal import ObjectsS3
internal import WorkerCore

/// Everything that tasks may name, by the scheme of its name: files, objects in the store, and what is behind URLs.
struct ObjectRouter: MediaObjects {
    private let local: any MediaObjects
    private let store: (any StoredObjects)?
    private let urls: URLSources?
    private let context: JobContext

    /// - Parameters:
    ///   - store: `nil` where none is configured.
    ///   - urls: `nil` where tasks may not name any.
    init(
        local: any MediaObjects, store: (any StoredObjects)?, urls: URLSources?, context: JobContext = JobContext()
    ) {
        (self.local, self.store, self.urls, self.context) = (local, store, urls, context)
    }

    func heeding(_ interruption: Interruption, for lease: Lease?) -> any MediaObjects {
        // One context, because what a job reads and writes shares its memory.
        let context = JobContext(interruption, lease: lease)
        return ObjectRouter(
            local: local.heeding(interruption, for: lease), store: store?.heeding(context), urls: urls, context: context
        )
    }

    func open(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        if URLSources.isURL(uri) {
            guard let urls else {
                throw Failure(code: .sourceNotAllowed, message: "tasks may not name URLs here")
            }
            return try urls.open(uri, context)
        }
        return try place(uri).open(uri, owner: owner)
    }

    func checkOutput(_ uri: String, owner: String) throws(Failure) {
        try place(uri).checkOutput(uri, owner: owner)
    }

    func fence(_ lease: Lease, outputs: [String]) throws(Failure) {
        let (objects, files) = Self.split(outputs) { $0 }
        if let first = objects.first { try place(first).fence(lease, outputs: objects) }
        if !files.isEmpty { try local.fence(lease, outputs: files) }
    }

    func stage(
        _ uri: String, name: String?, bounds: OutputBounds, for lease: Lease
    ) throws(Failure) -> any StagedObject {
        try place(uri).stage(uri, name: name, bounds: bounds, for: lease)
    }

    func commit(_ objects: [any StagedObject], for lease: Lease) throws(Failure) {
        let (stored, files) = Self.split(objects) { $0.uri }
        if let first = stored.first { try place(first.uri).commit(stored, for: lease) }
        if !files.isEmpty { try local.commit(files, for: lease) }
    }

    func keep(_ object: any StagedObject, for lease: Lease) throws(Failure) {
        try place(object.uri).keep(object, for: lease)
    }

    func openKept(_ uri: String, owner: String) throws(Failure) -> any ByteSource {
        try place(uri).openKept(uri, owner: owner)
    }

    func removeKept(_ folder: String, name: String) throws(Failure) {
        try place(folder).removeKept(folder, name: name)
    }

    func settle(_ lease: Lease, succeeded: Bool) {
        local.settle(lease, succeeded: succeeded)
        store?.settle(lease, succeeded: succeeded)
    }

    func settleForgotten(_ lease: Lease) {
        local.settleForgotten(lease)
        store?.settleForgotten(lease)
    }

    func unsettled() -> [Lease] { local.unsettled() + (store?.unsettled() ?? []) }

    private func place(_ uri: String) throws(Failure) -> any MediaObjects {
        guard !URLSources.isURL(uri) else { throw ObjectRules.refusal(uri) }
        guard S3Objects.isObject(uri) else { return local }
        guard let store else { throw ObjectRules.refusal(uri) }
        return store
    }

    private static func split<Value>(_ values: [Value], _ uri: (Value) -> String) -> ([Value], [Value]) {
        (values.filter { S3Objects.isObject(uri($0)) }, values.filter { !S3Objects.isObject(uri($0)) })
    }
}
