internal import HTTPTypes
internal import Hummingbird
internal import Model
internal import NIOCore
internal import WorkerCore

/// Where a payment provider tells what was paid. It shows no token: what it sends is signed.
struct PaymentRoutes: Sendable {
    /// Events have some kilobytes; one with all of its lines expanded, some hundred.
    static let longestMessage = 1 << 20

    let desk: any PaymentDesk

    func add(to group: RouterGroup<BasicRequestContext>) { group.post("webhook", use: take) }

    @Sendable private func take(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let message: ByteBuffer
        do {
            message = try await request.body.collect(upTo: Self.longestMessage)
        } catch {
            throw Problem.tooLarge("the message is larger than \(Self.longestMessage) bytes")
        }
        let receipt = try await desk.take(
            Array(message.readableBytesView), signature: request.headers[.stripeSignature])
        return JobRoutes.json(["outcome": .string(receipt.rawValue)], .ok)
    }
}

extension HTTPField.Name {
    fileprivate static var stripeSignature: HTTPField.Name { HTTPField.Name("Stripe-Signature") ?? .ifMatch }
}
