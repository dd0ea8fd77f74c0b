import TestSupport
import Testing

@testable import Bitstream

/// The counts of a seam are arranged so that the copied picture after it, whose count is given in part, is shown next.
@Suite("The order of a seam's pictures")
struct SeamOrderTests {
    /// Groups of an anchor, maybe a reference picture in its middle, and others, as x264 makes them.
    private static func pictures(_ random: inout SeededGenerator, half: Int) -> [H264.SeamOrder.Picture] {
        var pictures = [H264.SeamOrder.Picture(order: 0, isReference: true)]
        var last = 0
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let between = Int.random(in: 0...3, using: &random)
            guard 3 * (between + 1) < half else { continue }
            let anchor = last + 2 * (between + 1)
            pictures.append(.init(order: anchor, isReference: true))
            for index in 0..<between {
                pictures.append(.init(order: last + 2 * (index + 1), isReference: index == 1 && between == 3))
            }
            last = anchor
        }
        return pictures
    }

    @Test("leads to any count, and stays what it was", arguments: 0..<400 as Range<UInt64>)
    func leads(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let limit = 1 << Int.random(in: 4...8, using: &random)
        let pictures = Self.pictures(&random, half: limit / 2)
        let lsb = Int.random(in: 0..<limit, using: &random)
        let canMove = seed % 4 != 0
        var order = H264.SeamOrder(pictures, limit: limit)
        let found = order.lead(to: lsb, canMove: canMove)
        let shift = try #require(found)

        // Pictures stay in their order, and the first is an IDR picture.
        let (old, new) = (pictures.map(\.order), order.pictures.map(\.order))
        #expect(new.first == 0)
        let sorted = old.indices.sorted { old[$0] < old[$1] }.map { new[$0] }
        #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0 < $1 })
        if !canMove { #expect(old == new) }

        // A decoder comes to the same counts by their lowest bits alone, and shows the next picture after all of them.
        var unit = H264.SequenceParameterSet(unit: [])
        while unit.maxPictureOrderLSB < limit { unit.log2MaxPictureOrderLSB += 1 }
        var decoder = H264.PictureOrder()
        func count(_ lsb: Int, _ isReference: Bool, _ isIDR: Bool) -> Int {
            var header = H264.SliceHeader()
            header.pictureOrderLSB = H264.modulo(lsb, limit)
            (header.referenceIDC, header.isIDR) = (isReference ? 1 : 0, isIDR)
            return decoder.next(header, unit)
        }
        let counted = order.pictures.enumerated().map { count($1.order, $1.isReference, $0 == 0) }
        #expect(counted == new)
        let next = count(lsb + shift, true, false)
        #expect(next > counted.max() ?? 0)
    }

    @Test("is enough to reach every count from a long seam, without touching what follows")
    func reaches() {
        let pictures = (0..<6).map { H264.SeamOrder.Picture(order: 2 * $0, isReference: true) }
        for lsb in 0..<64 {
            var order = H264.SeamOrder(pictures, limit: 64)
            #expect(order.lead(to: lsb, canMove: true) == 0)
        }
    }
}
