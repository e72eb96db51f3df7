import { parseInstant } from '../../fhir/instant.ts'

/** What decides which of two Provenances is newer. `recorded` in milliseconds since 1970. */
export interface ProvenanceAge {
  readonly recorded: number
  readonly updated: number
  readonly id: string
}

/** The greatest `recorded`, then meta.lastUpdated, then id (protocol §3). */
export function isNewer(candidate: ProvenanceAge, best: ProvenanceAge): boolean {
  if (candidate.recorded !== best.recorded) return candidate.recorded > best.recorded
  if (candidate.updated !== best.updated) return candidate.updated > best.updated
  return candidate.id > best.id
}

/** `Provenance.recorded`; one that is missing or no instant is the oldest. */
export function recordedOf(body: Buffer): number {
  const { recorded } = JSON.parse(body.toString('utf8')) as { recorded?: unknown }
  return typeof recorded === 'string' ? (parseInstant(recorded) ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY
}
