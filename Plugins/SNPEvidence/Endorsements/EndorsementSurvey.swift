internal import Waiting
package import BrokerCore
internal import HTTPTransport
internal import Logging
package import OpenSSLCrypto
package import SNPReport

/// What one source has for a report, as `doctor` shows it.
package struct EndorsementOffer: Sendable {
    package enum Answer: Sendable {
        /// Leaf, intermediate and root that verify the report.
        case chain([Certificate])
        case failure(BrokerError)
        /// It would have meant to ask a service.
        case notAsked
    }

    /// As the setting spells it, or `directory`.
    package let source: String
    package let answer: Answer
}

extension EndorsementResolver {
    /// Asks the directory and every source once, in order, without the cache and without trying again.
    package func survey(_ report: AttestationReport, table: [UInt8], network: Bool, in context: RequestContext) async -> [EndorsementOffer]
    {
        let subject = EndorsementSubject(report, product: product)
        var offers: [EndorsementOffer] = []
        if let directory {
            let kept = directory.certificates(for: subject)
            let chain = kept.flatMap { try? verified($0, report, from: "the directory") }
            offers.append(
                EndorsementOffer(
                    source: "directory",
                    answer: chain.map { .chain($0) } ?? .failure(.noEndorsement("\(directory.path) has no chain for this chip and TCB"))))
        }
        for (index, source) in sources.enumerated() {
            guard network || source.isLocal else {
                offers.append(EndorsementOffer(source: source.name, answer: .notAsked))
                continue
            }
            // A share of the time each, so that a source that hangs does not take the others' findings with it.
            let share = context.deadline.remaining / (sources.count - index + 1)
            let context = RequestContext(id: context.id, deadline: .after(share), logger: context.logger)
            let answer: EndorsementOffer.Answer
            do throws(BrokerError) {
                let offered = try await ask(source, for: subject, table, in: context)
                answer = .chain(try verified(offered, report, from: source.name))
            } catch { answer = .failure(error) }
            offers.append(EndorsementOffer(source: source.name, answer: answer))
        }
        return offers
    }
}
