package import Model

/// What a process does of a render that is divided into chunks.
package struct ChunkOrder: Codable, Sendable, Equatable {
    package enum Step: Codable, Sendable, Equatable {
        /// Finds the division of a programme that lasts at least so long; renders in one go what has none.
        case divide(leastSeconds: Double)
        /// Encodes the chunk of that number into the task's output.
        case chunk(Int)
        /// Joins the chunks, which are the task's last sources, into the task's output.
        case join
    }

    package var step: Step
    /// What the whole render's output is called: by its ending, the same plan is made everywhere.
    package var output: String
    /// Aimed at.
    package var secondsPerChunk: Int
    /// `nil` before it is known.
    package var division: ChunkDivision?

    package init(step: Step, output: String, secondsPerChunk: Int, division: ChunkDivision? = nil) {
        (self.step, self.output, self.secondsPerChunk, self.division) = (step, output, secondsPerChunk, division)
    }
}

/// What comes of `ChunkOrder.Step.divide`: one of the two.
package struct DivideAnswer: Codable, Sendable {
    package var report: RenderReport?
    package var division: ChunkDivision?

    package init(report: RenderReport? = nil, division: ChunkDivision? = nil) {
        (self.report, self.division) = (report, division)
    }
}
