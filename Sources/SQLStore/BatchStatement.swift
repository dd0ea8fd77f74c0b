internal import Synchronization

/// A column of a `BatchStatement`.
struct BatchColumn: Sendable {
    var name: String
    /// As both databases understand it in a CAST.
    var type: String

    static func integer(_ name: String) -> Self { Self(name: name, type: "bigint") }
    static func real(_ name: String) -> Self { Self(name: name, type: "double precision") }
    static func text(_ name: String) -> Self { Self(name: name, type: "text") }
}

/// A statement over many rows at once, which it finds in `batch`: its text begins with `WITH`, what `batch` is, and goes
/// on from there.
///
/// The rows are parameters, and their number is rounded up with rows of NULL, so that a handful of texts is all that is
/// ever prepared. A row of NULL joins with nothing; an `INSERT` has to leave it out.
final class BatchStatement: Sendable {
    private static let sizes = [1, 4, 16, 64, 256]
    /// Fewer than either database takes in one statement.
    private static let maxParameters = 4096

    private let columns: [BatchColumn]
    private let rest: String
    /// Parameters besides the rows; they come first.
    private let extraCount: Int
    private let texts = Mutex<[Int: String]>([:])

    init(_ columns: [BatchColumn], extraParameters: Int = 0, _ rest: String) {
        (self.columns, self.rest, self.extraCount) = (columns, rest, extraParameters)
    }

    private func text(size: Int) -> String {
        texts.withLock { texts in
            if let text = texts[size] { return text }
            let rows = (0..<size).map { row in
                let places = columns.enumerated().map { index, column in
                    let place = "$\(extraCount + row * columns.count + index + 1)"
                    return row == 0 ? "CAST(\(place) AS \(column.type))" : place
                }
                return "(" + places.joined(separator: ", ") + ")"
            }
            let names = columns.map(\.name).joined(separator: ", ")
            let text = "WITH batch(\(names)) AS (VALUES \(rows.joined(separator: ", "))) \(rest)"
            texts[size] = text
            return text
        }
    }

    /// Executes it for all rows, in as few statements as it takes; the answers are put together.
    @discardableResult
    func execute(_ session: any SQLSession, _ rows: [[SQLValue]], _ extra: SQLValue...) throws -> [SQLRow] {
        let largest = Self.sizes.last { $0 * columns.count <= Self.maxParameters } ?? 1
        var (answers, start) = ([SQLRow](), 0)
        while start < rows.count {
            let part = rows[start..<min(rows.count, start + largest)]
            let size = Self.sizes.first { $0 >= part.count } ?? part.count
            var parameters = extra
            parameters.reserveCapacity(extra.count + size * columns.count)
            for row in part { parameters += row }
            parameters += Array(repeating: .null, count: (size - part.count) * columns.count)
            answers += try session.execute(text(size: size), parameters)
            start += part.count
        }
        return answers
    }
}
