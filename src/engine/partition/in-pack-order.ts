import type { RecordAsOf } from '../../records/as-of.ts'
import {
  inOrder,
  type Keyed,
  orderedBytesMax,
  type PlacedProvenance,
  slicesOf,
} from '../../records/packs/sections/pack-order.ts'
import { hasSectionMember, memberTextOf } from '../../records/packs/sections/section-key.ts'
import { recordedOf } from '../../records/provenance-age.ts'

/** Of a record what its place among those of its owner depends on, with the record. */
type Placed<Place> = Place & { readonly record: RecordAsOf }

/** How records of a type are put in order. */
interface Order<Place> {
  readonly placeOf: (record: RecordAsOf) => Place
  /** @param records of one owner in the order of their ids */
  readonly ordered: (records: readonly Placed<Place>[]) => readonly Placed<Place>[]
}

const byMember: Order<Keyed> = {
  placeOf: ({ body }) => ({ key: memberTextOf(body) }),
  ordered: inOrder,
}

const ofProvenances: Order<PlacedProvenance> = {
  placeOf: ({ id, updated, targets, body }) => ({
    ...{ rank: id, updated, recorded: recordedOf(body) },
    targets: targets === '' ? [] : targets.split(' '),
  }),
  ordered: (records) => [...slicesOf(records).values()].flat(),
}

/**
 * Puts records that are read as versions in the order that they have in packs. Those of an owner are held until all of them are there;
 * very many have the order of ids, there as here.
 * @param read in order of owner and id
 */
export const recordsInPackOrder = (read: AsyncGenerator<RecordAsOf[]>): AsyncGenerator<RecordAsOf[]> =>
  inPackOrder(read, byMember)

/** The same of several types of one owner, one type after the other. */
export async function* typesInPackOrder(
  read: AsyncGenerator<{ readonly type: string; readonly records: RecordAsOf[] }>,
): AsyncGenerator<{ readonly type: string; readonly records: RecordAsOf[] }> {
  let held: { readonly type: string; readonly owner: Owner<Keyed> } | undefined
  for await (const { type, records } of read) {
    if (held && held.type !== type) {
      yield { type: held.type, records: held.owner.finish() }
      held = undefined
    }
    if (!hasSectionMember(type)) {
      yield { type, records }
      continue
    }
    held ??= { type, owner: new Owner('', byMember) }
    const passed: RecordAsOf[] = []
    for (const record of records) held.owner.add(record, passed)
    if (passed.length > 0) yield { type, records: passed }
  }
  if (held) yield { type: held.type, records: held.owner.finish() }
}

/**
 * The same of Provenances.
 * @param read with those targets that are there
 */
export const provenancesInPackOrder = (read: AsyncGenerator<RecordAsOf[]>): AsyncGenerator<RecordAsOf[]> =>
  inPackOrder(read, ofProvenances)

async function* inPackOrder<Place>(
  read: AsyncGenerator<RecordAsOf[]>,
  order: Order<Place>,
): AsyncGenerator<RecordAsOf[]> {
  let owner: Owner<Place> | undefined
  for await (const records of read) {
    const passed: RecordAsOf[] = []
    for (const record of records) {
      if (owner?.id !== record.owner) {
        if (owner) for (const held of owner.finish()) passed.push(held)
        owner = new Owner(record.owner, order)
      }
      owner.add(record, passed)
    }
    if (passed.length > 0) yield passed
  }
  if (owner) yield owner.finish()
}

/** The records of one owner, until they are too many to be held. */
class Owner<Place> {
  readonly id: string
  readonly #order: Order<Place>
  #held: Placed<Place>[] = []
  /** Of the lines of those that are the owner's alone. */
  #bytes = 0

  constructor(id: string, order: Order<Place>) {
    this.id = id
    this.#order = order
  }

  /** @param passed gets what cannot be held any longer, or goes on at once */
  add(record: RecordAsOf, passed: RecordAsOf[]): void {
    if (!record.shared) this.#bytes += record.body.length + 1
    if (this.#bytes > orderedBytesMax) {
      for (const held of ownOf(this.#held)) passed.push(held)
      passed.push(record)
      this.#held = []
      return
    }
    // A shared one has no line here, whose place would matter: it goes on at once, and only what others are held against is kept.
    const body = record.shared ? noBody : Buffer.from(record.body)
    this.#held.push({ ...this.#order.placeOf(record), record: { ...record, body } })
    if (record.shared) passed.push(record)
  }

  finish(): RecordAsOf[] {
    return ownOf(this.#order.ordered(this.#held))
  }
}

const noBody = Buffer.alloc(0)

const ownOf = (placed: readonly { readonly record: RecordAsOf }[]): RecordAsOf[] =>
  placed.flatMap(({ record }) => (record.shared ? [] : [record]))
