package import Envelopes

/// Something to ask of Redis.
package enum RedisCommand: Sendable {
    /// A command and its arguments, as they are.
    case plain([[UInt8]])
    /// Answers 1 when it was newer than what was there, and 0 when it was not.
    case fenced(FencedWrite)

    package static func texts(_ arguments: String...) -> RedisCommand { .plain(arguments.map { Array($0.utf8) }) }
}

package enum RedisReply: Sendable, Equatable {
    case none
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])
    /// Redis refused this command.
    case error(String)

    package var text: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }

    /// It may be different soon: Redis is loading its data, is a replica for now, or lacks memory or disk.
    var isPassing: Bool {
        guard case .error(let text) = self else { return false }
        let words = [
            "LOADING", "READONLY", "MISCONF", "OOM", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS",
        ]
        return words.contains(String(text.prefix { $0 != " " }))
    }
}

/// The script that makes a `FencedWrite` one step: nobody sees half of it, and two writers cannot overtake each other.
///
/// It uses keys that it is not told beforehand, so it runs on a single Redis or one with replicas, not on a cluster.
enum FencedScript {
    static let text = """
        local last = redis.call('HMGET', KEYS[1], 'epoch', 'sequence', 'state')
        local epoch, sequence = tonumber(ARGV[2]), tonumber(ARGV[3])
        local lastEpoch, lastSequence = tonumber(last[1] or '-1'), tonumber(last[2] or '-1')
        if epoch < lastEpoch then return 0 end
        if ARGV[1] == 'above' and epoch == lastEpoch and sequence <= lastSequence then return 0 end
        redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'sequence', ARGV[3], 'state', ARGV[4], 'data', ARGV[5])
        redis.call('EXPIRE', KEYS[1], ARGV[6])

        local function set(key, value, keep)
          if keep == '0' then redis.call('SET', key, value) else redis.call('SETEX', key, keep, value) end
        end
        local function isFinal(key)
          local ok, value = pcall(function() return cjson.decode(redis.call('GET', key)) end)
          local status = ok and type(value) == 'table' and value['status']
          return status == 'SUCCESS' or status == 'FAILURE' or status == 'REVOKED'
        end
        for i = 7, #ARGV, 4 do
          local what, name, value, keep = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
          if what == 'set' then
            set(name, value, keep)
          elseif what == 'publish' then
            redis.call('PUBLISH', name, value)
          elseif what == 'begin' then
            if last[3] ~= ARGV[4] then redis.call('PUBLISH', name, value) end
          elseif what == 'pending' then
            if not isFinal(name) then
              set(name, value, keep)
              redis.call('PUBLISH', name, value)
            end
          end
        end
        return 1
        """

    static func command(_ write: FencedWrite, digest: [UInt8]) -> [[UInt8]] {
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        func keep(_ seconds: Int?) -> [UInt8] { bytes("\(max(0, seconds ?? 0))") }
        var arguments: [[UInt8]] = [
            bytes("EVALSHA"), digest, bytes("1"), bytes(write.key), bytes(write.rule == .above ? "above" : "notBelow"),
            bytes("\(write.epoch)"), bytes("\(write.sequence)"), bytes(write.state), write.data,
            bytes("\(max(1, write.keepSeconds))"),
        ]
        for operation in write.operations {
            switch operation {
            case .set(let key, let value, let seconds): arguments += [bytes("set"), bytes(key), value, keep(seconds)]
            case .publish(let channel, let value): arguments += [bytes("publish"), bytes(channel), value, []]
            case .begin(let channel, let value): arguments += [bytes("begin"), bytes(channel), value, []]
            case .setPending(let key, let value, let seconds):
                arguments += [bytes("pending"), bytes(key), value, keep(seconds)]
            }
        }
        return arguments
    }
}
