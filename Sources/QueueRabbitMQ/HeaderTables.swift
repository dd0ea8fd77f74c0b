internal import CRabbitMQ
internal import WorkerCore

/// Memory that lives as long as one call into the library needs it.
struct Arena: ~Copyable {
    private var pool = amqp_pool_t()

    init() { init_amqp_pool(&pool, 4096) }

    deinit {
        var pool = pool
        empty_amqp_pool(&pool)
    }

    mutating func bytes(_ bytes: some Collection<UInt8>) -> amqp_bytes_t {
        guard !bytes.isEmpty, let memory = amqp_pool_alloc(&pool, bytes.count) else {
            return amqp_bytes_t(len: 0, bytes: nil)
        }
        UnsafeMutableRawBufferPointer(start: memory, count: bytes.count).copyBytes(from: bytes)
        return amqp_bytes_t(len: bytes.count, bytes: memory)
    }

    mutating func text(_ text: String) -> amqp_bytes_t { bytes(text.utf8) }

    mutating func table(_ members: [String: HeaderValue]) -> amqp_table_t {
        let size = MemoryLayout<amqp_table_entry_t>.stride * members.count
        guard !members.isEmpty, let memory = amqp_pool_alloc(&pool, size) else {
            return amqp_table_t(num_entries: 0, entries: nil)
        }
        let entries = memory.bindMemory(to: amqp_table_entry_t.self, capacity: members.count)
        for (index, key) in members.keys.sorted().enumerated() {
            let entry = amqp_table_entry_t(key: text(key), value: value(members[key] ?? .void))
            (entries + index).initialize(to: entry)
        }
        return amqp_table_t(num_entries: Int32(members.count), entries: entries)
    }

    private mutating func array(_ values: [HeaderValue]) -> amqp_array_t {
        let size = MemoryLayout<amqp_field_value_t>.stride * values.count
        guard !values.isEmpty, let memory = amqp_pool_alloc(&pool, size) else {
            return amqp_array_t(num_entries: 0, entries: nil)
        }
        let entries = memory.bindMemory(to: amqp_field_value_t.self, capacity: values.count)
        for (index, element) in values.enumerated() { (entries + index).initialize(to: value(element)) }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    private mutating func value(_ value: HeaderValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func set(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(kind.rawValue) }
        switch value {
        case .void: set(AMQP_FIELD_KIND_VOID)
        case .bool(let value):
            set(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .integer(let value):
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = value
        case .unsigned(let value):
            // RabbitMQ reads `l` only, signed.
            set(AMQP_FIELD_KIND_I64)
            field.value.i64 = Int64(clamping: value)
        case .double(let value):
            set(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .decimal(let scale, let value):
            set(AMQP_FIELD_KIND_DECIMAL)
            field.value.decimal = amqp_decimal_t(decimals: scale, value: value)
        case .text(let text):
            set(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = self.text(text)
        case .bytes(let bytes):
            set(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = self.bytes(bytes)
        case .timestamp(let value):
            set(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = value
        case .array(let values):
            set(AMQP_FIELD_KIND_ARRAY)
            field.value.array = array(values)
        case .table(let members):
            set(AMQP_FIELD_KIND_TABLE)
            field.value.table = table(members)
        }
        return field
    }

    /// As publishing wants them.
    mutating func properties(_ properties: MessageProperties) -> amqp_basic_properties_t {
        var result = amqp_basic_properties_t()
        func mark(_ flag: Int32) { result._flags |= amqp_flags_t(flag) }
        func put(_ text: String?, _ flag: Int32, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
            guard let text else { return }
            mark(flag)
            result[keyPath: field] = self.text(text)
        }
        put(properties.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, \.content_type)
        put(properties.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, \.content_encoding)
        put(properties.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, \.correlation_id)
        put(properties.replyTo, AMQP_BASIC_REPLY_TO_FLAG, \.reply_to)
        put(properties.expiration, AMQP_BASIC_EXPIRATION_FLAG, \.expiration)
        put(properties.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, \.message_id)
        put(properties.type, AMQP_BASIC_TYPE_FLAG, \.type)
        put(properties.appID, AMQP_BASIC_APP_ID_FLAG, \.app_id)
        if !properties.headers.isEmpty {
            mark(AMQP_BASIC_HEADERS_FLAG)
            result.headers = table(properties.headers)
        }
        if let mode = properties.deliveryMode {
            mark(AMQP_BASIC_DELIVERY_MODE_FLAG)
            result.delivery_mode = mode
        }
        if let priority = properties.priority {
            mark(AMQP_BASIC_PRIORITY_FLAG)
            result.priority = priority
        }
        if let timestamp = properties.timestamp {
            mark(AMQP_BASIC_TIMESTAMP_FLAG)
            result.timestamp = timestamp
        }
        return result
    }
}

extension String {
    /// Copies; what is not UTF-8 is repaired.
    init(_ bytes: amqp_bytes_t) {
        self.init(
            decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len),
            as: UTF8.self)
    }
}

extension MessageProperties {
    /// Copies what the library decoded.
    init(_ raw: amqp_basic_properties_t) {
        self.init()
        func has(_ flag: Int32) -> Bool { raw._flags & amqp_flags_t(flag) != 0 }
        if has(AMQP_BASIC_CONTENT_TYPE_FLAG) { contentType = String(raw.content_type) }
        if has(AMQP_BASIC_CONTENT_ENCODING_FLAG) { contentEncoding = String(raw.content_encoding) }
        if has(AMQP_BASIC_CORRELATION_ID_FLAG) { correlationID = String(raw.correlation_id) }
        if has(AMQP_BASIC_REPLY_TO_FLAG) { replyTo = String(raw.reply_to) }
        if has(AMQP_BASIC_EXPIRATION_FLAG) { expiration = String(raw.expiration) }
        if has(AMQP_BASIC_MESSAGE_ID_FLAG) { messageID = String(raw.message_id) }
        if has(AMQP_BASIC_TYPE_FLAG) { type = String(raw.type) }
        if has(AMQP_BASIC_APP_ID_FLAG) { appID = String(raw.app_id) }
        if has(AMQP_BASIC_HEADERS_FLAG) { headers = HeaderValue.members(raw.headers, depth: 0) }
        if has(AMQP_BASIC_DELIVERY_MODE_FLAG) { deliveryMode = raw.delivery_mode }
        if has(AMQP_BASIC_PRIORITY_FLAG) { priority = raw.priority }
        if has(AMQP_BASIC_TIMESTAMP_FLAG) { timestamp = raw.timestamp }
    }
}

extension HeaderValue {
    /// Deeper than anybody needs; what is below is left out.
    private static let maximumDepth = 16

    static func members(_ table: amqp_table_t, depth: Int) -> [String: HeaderValue] {
        var members: [String: HeaderValue] = [:]
        for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
            members[String(entry.key)] = HeaderValue(entry.value, depth: depth)
        }
        return members
    }

    private init(_ field: amqp_field_value_t, depth: Int) {
        switch amqp_field_value_kind_t(rawValue: UInt32(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(field.value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .integer(Int64(field.value.i8))
        case AMQP_FIELD_KIND_U8: self = .integer(Int64(field.value.u8))
        case AMQP_FIELD_KIND_I16: self = .integer(Int64(field.value.i16))
        case AMQP_FIELD_KIND_U16: self = .integer(Int64(field.value.u16))
        case AMQP_FIELD_KIND_I32: self = .integer(Int64(field.value.i32))
        case AMQP_FIELD_KIND_U32: self = .integer(Int64(field.value.u32))
        case AMQP_FIELD_KIND_I64: self = .integer(field.value.i64)
        case AMQP_FIELD_KIND_U64: self = .unsigned(field.value.u64)
        case AMQP_FIELD_KIND_F32: self = .double(Double(field.value.f32))
        case AMQP_FIELD_KIND_F64: self = .double(field.value.f64)
        case AMQP_FIELD_KIND_DECIMAL:
            self = .decimal(scale: field.value.decimal.decimals, value: field.value.decimal.value)
        case AMQP_FIELD_KIND_UTF8, AMQP_FIELD_KIND_BYTES:
            let raw = field.value.bytes
            let bytes = Array(UnsafeRawBufferPointer(start: raw.bytes, count: raw.bytes == nil ? 0 : raw.len))
            if field.kind == UInt8(AMQP_FIELD_KIND_UTF8.rawValue), let text = String(validating: bytes, as: UTF8.self) {
                self = .text(text)
            } else {
                self = .bytes(bytes)
            }
        case AMQP_FIELD_KIND_TIMESTAMP: self = .timestamp(field.value.u64)
        case AMQP_FIELD_KIND_ARRAY:
            let array = field.value.array
            guard depth < Self.maximumDepth else {
                self = .void
                return
            }
            self = .array(
                UnsafeBufferPointer(start: array.entries, count: Int(array.num_entries)).map {
                    HeaderValue($0, depth: depth + 1)
                })
        case AMQP_FIELD_KIND_TABLE:
            self = depth < Self.maximumDepth ? .table(Self.members(field.value.table, depth: depth + 1)) : .void
        default: self = .void
        }
    }
}
