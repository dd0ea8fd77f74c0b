import Foundation
import HTTPTransfer
import Model
import ObjectsS3
import PoolTestSupport
import S3
import SQLStore
import TestSupport
import Testing
import WorkerCore

/// A store, the ways to it, and what lies in it for one campaign.
struct TransferSite: Sendable {
    private static let sourceBytes = 5 * mebibyte + 4321
    private static let downloadBytes = mebibyte + 777

    let store: ObjectStore
    let bench: Bench
    let plain: FaultProxy
    let secure: FaultProxy
    /// Of all keys of this campaign.
    let prefix: String
    /// What outputs are made of.
    let block: [UInt8]
    let source: S3Place
    let sourceTruth: [UInt8]
    let film: S3Place
    let filmTruth: [UInt8]

    init(_ bench: Bench, _ certificate: TestCertificate, seed: UInt64, block: [UInt8]) throws {
        (store, self.bench, self.block) = (bench.store, bench, block)
        plain = try FaultProxy(store)
        secure = try FaultProxy(store, certificate: certificate)
        prefix = "transfers-\(UUID().uuidString.lowercased())"
        let bucket = try store.bucket()
        source = S3Place(bucket: bucket, key: "\(prefix)/source.bin")
        film = S3Place(bucket: bucket, key: "\(prefix)/film.mp4")
        // As an MP4 begins.
        let head: [UInt8] = [0, 0, 0, 24] + Array("ftypisom".utf8) + [0, 0, 2, 0] + Array("isommp41".utf8)
        filmTruth = head + Self.piece(of: block, Self.downloadBytes, mark: seed)
        _ = try bench.client.put(source, Self.piece(of: block, Self.sourceBytes, mark: seed &+ 1), stop: TransferStop())
        _ = try bench.client.put(film, filmTruth, contentType: "video/mp4", stop: TransferStop())
        // The truth is what is there.
        sourceTruth = try bench.client.wholeObject(source)
    }

    /// Bytes that no other mark has; quick to make.
    static func piece(of block: [UInt8], _ count: Int, mark: UInt64) -> [UInt8] {
        var bytes = Array(block[..<count])
        bytes.withUnsafeMutableBytes { bytes in
            for offset in stride(from: 0, to: bytes.count - 8, by: 4096) {
                bytes.storeBytes(
                    of: mark &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(offset), toByteOffset: offset, as: UInt64.self)
            }
        }
        return bytes
    }

    func place(_ number: Int) -> S3Place { S3Place(bucket: source.bucket, key: "\(prefix)/out/\(number).mp4") }

    /// Uploads of the campaign that the store has, asked for without anything between.
    func leftUploads() throws -> [String] {
        try bench.client.uploads(in: source.bucket, prefix: "\(prefix)/", stop: TransferStop()).map(\.place.key)
    }

    /// Keys of outputs that can be seen.
    func visible() throws -> Set<String> {
        let found = try bench.client.objects(
            in: source.bucket, prefix: "\(prefix)/out/", limit: 100_000, stop: TransferStop())
        return Set(found.map(\.place.key))
    }

    /// A job that this worker has, with what it is to do.
    func claimed(_ kind: JobKind, _ payload: String = "{}") async throws -> JobRecord {
        let id = try #require(JobID(UUID().uuidString))
        let job = NewJob(id: id, kind: kind, owner: "ann", payload: payload, ingress: .native)
        _ = try await bench.ledger.insert([job])
        let request = ClaimRequest(
            worker: "w", kinds: [kind], limit: 1, memoryBytes: 1 << 40, leaseSeconds: 7200)
        let record = try #require(try await bench.ledger.claim(request).first)
        #expect(record.id == id)
        return record
    }
}
