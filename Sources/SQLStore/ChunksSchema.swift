/// The tables of chunked renders.
///
/// Rows are few: those of renders that run or wait for another attempt, and what is left of others. They refer to no row
/// of `jobs`, so that a job can go before the last of its objects has.
enum ChunksSchema {
    static func statements(_ dialect: Dialect) -> [String] {
        let text = dialect.textType
        return [
            // One for each way that a job was divided. `is_left`: it is divided in another way now.
            """
            CREATE TABLE chunk_sets (
                seq \(dialect.identity),
                job \(text) NOT NULL,
                digest \(text) NOT NULL,
                epoch bigint NOT NULL,
                is_left bigint NOT NULL,
                folder \(text) NOT NULL,
                threads bigint NOT NULL,
                seconds_per_chunk bigint NOT NULL,
                division \(text) NOT NULL,
                created_at bigint NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX chunk_sets_of_job ON chunk_sets (job, digest)",
            // `turn` goes up with every claim. `worker` has the chunk, or made it.
            """
            CREATE TABLE chunks (
                seq \(dialect.identity),
                job \(text) NOT NULL,
                digest \(text) NOT NULL,
                number bigint NOT NULL,
                frames bigint NOT NULL,
                state \(text) NOT NULL CHECK (state IN ('free', 'taken', 'done')),
                turn bigint NOT NULL,
                tries bigint NOT NULL,
                worker \(text),
                instance \(text),
                until bigint,
                fraction double precision NOT NULL,
                failure \(text),
                made \(text),
                uri \(text),
                changed_at bigint NOT NULL,
                CHECK ((state = 'taken') = (until IS NOT NULL)),
                CHECK (state = 'free' OR worker IS NOT NULL),
                CHECK ((state = 'done') = (made IS NOT NULL))
            )
            """,
            "CREATE UNIQUE INDEX chunks_of_set ON chunks (job, digest, number)",
            // What workers without anything else to do look for, again and again.
            "CREATE INDEX chunks_untried ON chunks (frames, seq) WHERE state = 'free' AND tries = 0",
        ] + dialect.storage(["chunk_sets", "chunks"])
    }
}
