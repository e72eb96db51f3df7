import { parseInstant } from '../fhir/instant.ts'
import { NamedMembers } from '../fhir/json/named-members.ts'

/** What decides which of two Provenances is newer. `recorded` in milliseconds since 1970. */
export interface ProvenanceAge {
  readonly recorded: number
  readonly updated: number
  /** The id, or its place in an order of ids. */
  readonly rank: string | number
}

/** The greatest `recorded`, then meta.lastUpdated, then id (protocol §3). */
function isNewer(candidate: ProvenanceAge, best: ProvenanceAge): boolean {
  if (candidate.recorded !== best.recorded) return candidate.recorded > best.recorded
  if (candidate.updated !== best.updated) return candidate.updated > best.updated
  return candidate.rank > best.rank
}

const members = new NamedMembers(['recorded'])

/** `Provenance.recorded` of a stored line; one that is missing or no instant is the oldest. */
export function recordedOf(line: Buffer): number {
  const recorded = recordedIn(line)
  return typeof recorded === 'string' ? (parseInstant(recorded) ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY
}

function recordedIn(line: Buffer): unknown {
  if (!members.find(line, 0, line.length)) return (JSON.parse(line.toString('utf8')) as { recorded?: unknown }).recorded
  const [start, end] = [members.starts[0]!, members.ends[0]!]
  return end === 0 ? undefined : JSON.parse(line.toString('utf8', start, end))
}

/** Finds, one Provenance after the other, the newest of each target. */
export class NewestOfTargets<Provenance extends ProvenanceAge> {
  readonly #newest = new Map<string, Provenance>()

  /** @param targets those that count, `Type/id` */
  add(provenance: Provenance, targets: readonly string[]): void {
    for (const target of targets) {
      const best = this.#newest.get(target)
      if (best === undefined || isNewer(provenance, best)) this.#newest.set(target, provenance)
    }
  }

  /** Those that are the newest of one of their targets. */
  winners(): Set<Provenance> {
    return new Set(this.#newest.values())
  }
}
