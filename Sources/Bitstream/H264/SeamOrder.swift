extension H264 {
    /// When a seam's pictures are shown, in the output's numbers, so that the copied picture after them is shown after
    /// them.
    ///
    /// That picture's pic_order_cnt_lsb is given, and means the count nearest to that of the reference picture before it
    /// (§8.2.1.1). So the seam's last pictures get counts shortly before a count that ends so: pictures are moved on,
    /// from a place in the seam on where all that are decoded later are shown later, too.
    struct SeamOrder {
        struct Picture {
            /// PicOrderCnt( ), 0 for the IDR picture that is first.
            var order: Int
            var isReference: Bool
        }

        /// In decoding order.
        private(set) var pictures: [Picture]
        private let limit: Int

        /// - Parameters:
        ///   - pictures: in decoding order; the first is an IDR picture.
        ///   - limit: MaxPicOrderCntLsb of the output.
        init(_ pictures: [Picture], limit: Int) {
            (self.pictures, self.limit) = (pictures, limit)
        }

        private var half: Int { limit / 2 }
        private var lastReference: Int { pictures.last { $0.isReference }?.order ?? 0 }
        private var lastShown: Int { pictures.map(\.order).max() ?? 0 }

        /// Moves pictures on, if need be and if it can be done.
        ///
        /// - Returns: what to add to the following picture's lsb where it cannot, else 0; `nil` if nothing helps.
        mutating func lead(to lsb: Int, canMove: Bool) -> Int? {
            let nearest = lastShown - lastReference + 1
            guard nearest <= half else { return nil }
            let distance = H264.modulo(lsb - lastReference, limit)
            if (nearest...half).contains(distance) { return 0 }
            let missing = distance > half ? distance - half : distance + limit - half
            if canMove, move(by: missing) { return 0 }
            return H264.modulo(lastShown + 1 - lsb, limit)
        }

        /// Distributes a distance over the places where it can be put, the last ones first.
        private mutating func move(by distance: Int) -> Bool {
            var moved = pictures
            var left = distance
            for index in pictures.indices.dropFirst().reversed() where left > 0 {
                let before = pictures[..<index].map(\.order).max() ?? 0
                let after = pictures[index...].map(\.order).min() ?? 0
                guard before < after else { continue }
                let step = min(left, slack(at: index))
                guard step > 0 else { continue }
                for later in index..<moved.endIndex { moved[later].order += step }
                left -= step
            }
            guard left == 0 else { return false }
            pictures = moved
            return true
        }

        /// How far what is decoded from a picture on can be moved: it counts from a reference picture before.
        private func slack(at index: Int) -> Int {
            // What moves takes the last reference picture with it, or nothing is won.
            guard let base = pictures[..<index].last(where: \.isReference)?.order,
                let firstReference = pictures[index...].firstIndex(where: \.isReference)
            else { return 0 }
            let farthest = pictures[index...firstReference].map { $0.order - base }.max() ?? half
            return half - farthest
        }
    }
}
