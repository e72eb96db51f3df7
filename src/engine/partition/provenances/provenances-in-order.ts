import type { RecordAsOf } from '../../../records/as-of.ts'
import { slicedBytesMax, slicesOf } from '../../../records/packs/build/provenance-slices.ts'
import { type ProvenanceAge, recordedOf } from '../../../records/provenance-age.ts'

type Held = RecordAsOf & ProvenanceAge & { readonly present: readonly string[] }

/**
 * Puts the Provenances of owners in the order that they have in packs. Those of an owner are held until all of them are there; very many
 * have the order of ids, there as here.
 * @param read in order of owner and id, with those targets that are there
 */
export async function* provenancesInOrder(read: AsyncGenerator<RecordAsOf[]>): AsyncGenerator<RecordAsOf[]> {
  let owner: Owner | undefined
  for await (const records of read) {
    for (const record of records) {
      if (owner?.id !== record.owner) {
        if (owner) yield owner.finish()
        owner = new Owner(record.owner)
      }
      const passed = owner.add(record)
      if (passed) yield passed
    }
  }
  if (owner) yield owner.finish()
}

/** The Provenances of one owner, until they are too many to be held. */
class Owner {
  readonly id: string
  #held: Held[] = []
  /** Of the lines of those that are the owner's alone. */
  #bytes = 0

  constructor(id: string) {
    this.id = id
  }

  /** @returns what cannot be held any longer, or goes on at once */
  add(record: RecordAsOf): RecordAsOf[] | undefined {
    if (!record.shared) this.#bytes += record.body.length + 1
    if (this.#bytes > slicedBytesMax) {
      const passed = [...this.#held.filter(({ shared }) => !shared), record]
      this.#held = []
      return passed
    }
    const { id, targets, shared } = record
    const present = targets === '' ? [] : targets.split(' ')
    const recorded = recordedOf(record.body)
    // A shared one has no line here, whose place would matter: it goes on at once, and only its age is kept.
    const body = shared ? noBody : Buffer.from(record.body)
    this.#held.push({ ...record, body, rank: id, recorded, present })
    return shared ? [record] : undefined
  }

  finish(): RecordAsOf[] {
    const placed = this.#held.map((record) => ({ record, ...ageOf(record), targets: record.present }))
    const ordered = [...slicesOf(placed).values()].flat()
    return ordered.map(({ record }) => record).filter(({ shared }) => !shared)
  }
}

const noBody = Buffer.alloc(0)

const ageOf = ({ recorded, updated, rank }: Held): ProvenanceAge => ({ recorded, updated, rank })
