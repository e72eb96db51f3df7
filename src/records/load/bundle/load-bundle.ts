import type { Pool } from 'pg'
import type { IdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { type Resolution, resolutionsIn } from '../../../fhir/bundle/same-but-resolved.ts'
import { type Identifier, identifiersOf } from '../../../fhir/identifier.ts'
import type { JsonObject } from '../../../fhir/json/json-object.ts'
import { type Key, keyOf, readCurrentRows } from '../../current.ts'
import { idsByIdentifier } from '../../identifiers.ts'
import { currentTexts } from '../../read.ts'
import { type BatchWriter, type Place, type Step, takenReason } from '../batch-writer.ts'
import type { HeldRecords } from '../held/held-records.ts'
import type { LoadTally } from '../load-tally.ts'
import type { Bases } from '../source-bases.ts'
import { type BundleDrafts, type BundlePut, bundleDrafts, nameOf } from './bundle-drafts.ts'
import { type LostEntry, type PlannedDelete, type PlannedEntry, type PlannedPut, planBundle } from './bundle-plan.ts'

/** Stored texts that are compared together. */
const textsMax = 100

/** What taking Bundles apart works with. */
export interface BundleTools {
  readonly pool: Pool
  readonly tenant: string
  readonly bases: Bases
  readonly writer: BatchWriter
  readonly held: HeldRecords
  readonly tally: LoadTally
}

/**
 * Loads the entries of a Bundle. One that would mix up two people, or make a different record of one that is there, is refused as a
 * whole before any of its entries is written; an entry that is wrong by itself is refused alone.
 * @param text JSON
 */
export async function loadBundle(tools: BundleTools, text: string, type: unknown, at: Place): Promise<void> {
  const plan = planBundle(text, type)
  if (typeof plan === 'string') return tools.tally.fault({ ...at, reason: plan }, 1)
  const { entries, refused, outcomes } = plan
  tools.tally.counts.notRecords += outcomes
  const loading = new BundleLoading(tools, at)
  for (const { index, reason } of refused) loading.refuse({ index }, reason)
  const lost = refused.flatMap((entry) => entry.lost)
  await loading.load(entries, lost, type === 'history')
}

class BundleLoading {
  readonly #tools: BundleTools
  readonly #at: Place

  constructor(tools: BundleTools, at: Place) {
    this.#tools = tools
    this.#at = at
  }

  async load(entries: readonly PlannedEntry[], lost: readonly LostEntry[], isHistory: boolean): Promise<void> {
    const { known, found, unclear } = await this.#existing(entries)
    const drafts = bundleDrafts(known, found, [...lost, ...unclear], isHistory, this.#tools.bases)
    const wrong = typeof drafts === 'string' ? drafts : await this.#conflict(drafts, isHistory)
    if (typeof drafts === 'string' || typeof wrong === 'string') {
      return this.#tools.tally.fault({ ...this.#at, reason: `the Bundle is refused: ${wrong}` }, known.length)
    }
    for (const { index, reason } of drafts.refused) this.refuse({ index }, reason)
    const refused = new Set(drafts.refused.map(({ index }) => index))
    for (const { index } of found.keys()) if (!refused.has(index)) this.#tools.tally.stored('found')
    for (const change of isHistory ? await this.#unlessCurrent(drafts.changes) : drafts.changes) {
      if ('draft' in change) await this.#put(change, wrong.has(change))
      else await this.#delete(change)
    }
  }

  refuse(entry: { readonly index: number }, reason: string): void {
    this.#tools.tally.fault({ ...this.#placeOf(entry), reason }, 1)
  }

  #placeOf(entry: { readonly index: number }): Place {
    const { file, place } = this.#at
    return { file, place: place === '' ? nameOf(entry) : `${place}, ${nameOf(entry)}` }
  }

  /** The records that entries with `ifNoneExist` mean; an entry that may mean several is refused. */
  async #existing(entries: readonly PlannedEntry[]) {
    const found = new Map<PlannedEntry, Key>()
    const conditions = entries.flatMap((entry) =>
      entry.kind === 'put' && entry.ifNoneExist ? [{ entry, query: entry.ifNoneExist }] : [],
    )
    if (conditions.length === 0) return { known: entries, found, unclear: [] }
    const answers = await this.#answers(conditions.map(({ query }) => query))
    const asked = new Map(conditions.map(({ entry, query }, index) => [entry, { query, ids: answers[index]! }]))
    const unclear = new Set<PlannedPut>()
    /** Ids of the records that this Bundle creates, by the identifiers that they will have. */
    const created = new Map<string, string[]>()
    for (const entry of entries) {
      if (entry.kind !== 'put' || !entry.onlyNew) continue
      const { query, ids } = asked.get(entry) ?? { query: undefined, ids: [] }
      const own = query ? (created.get(JSON.stringify(query)) ?? []) : []
      const [id, ...others] = new Set([...ids, ...own])
      if (others.length > 0) {
        unclear.add(entry)
        this.refuse(entry, 'several records match ifNoneExist; make them one, or give the entry an id with PUT')
      } else if (query && id !== undefined) found.set(entry, { type: query.type, id })
      else {
        for (const { system, value } of identifiersIn(entry)) {
          const text = JSON.stringify({ type: entry.key.type, system, value })
          const others = created.get(text)
          if (others) others.push(entry.key.id)
          else created.set(text, [entry.key.id])
        }
      }
    }
    const known = entries.filter((entry) => entry.kind !== 'put' || !unclear.has(entry))
    return { known, found, unclear: [...unclear].map(({ index, fullUrl, stated }) => ({ index, fullUrl, stated })) }
  }

  /** Why the Bundle must not be loaded, as a text; else its records that are new. */
  async #conflict(
    { changes }: BundleDrafts,
    isHistory: boolean,
  ): Promise<string | ReadonlySet<BundlePut | PlannedDelete>> {
    const twice = isHistory ? undefined : twiceIn(changes)
    if (twice !== undefined) return twice
    const puts = changes.filter((change): change is BundlePut => 'draft' in change && change.entry.onlyNew)
    const fresh = new Set<BundlePut | PlannedDelete>()
    if (puts.length === 0) return fresh
    const stored = await this.#stored(puts)
    const others = puts.filter(({ draft }) => stored.get(draft.key)?.equals(draft.digest) === false)
    const same = await this.#same(others)
    const taken = others.find((put) => !same.has(put))
    if (taken) return `${nameOf(taken.entry)}: ${takenReason}`
    for (const put of puts) if (!stored.has(put.draft.key)) fresh.add(put)
    return fresh
  }

  /** The versions of a history but those of records whose newest one the store has: loading it again changes nothing. */
  async #unlessCurrent(changes: BundleDrafts['changes']): Promise<BundleDrafts['changes']> {
    const newest = new Map(changes.map((change) => [keyTextOf(change), change]))
    const stored = await this.#stored([...newest.values()])
    const current = new Set<string>()
    const others: BundlePut[] = []
    for (const [key, change] of newest) {
      const digest = stored.get(key)
      if (!('draft' in change)) {
        if (!digest) current.add(key)
      } else if (digest?.equals(change.draft.digest)) current.add(key)
      else if (digest) others.push(change)
    }
    for (const { draft } of await this.#same(others)) current.add(draft.key)
    return changes.filter((change) => {
      const key = keyTextOf(change)
      const counts = !current.has(key) || newest.get(key) === change
      if (!counts) this.#tools.tally.stored('unchanged')
      return counts
    })
  }

  /** The digests that the records have when everything before this Bundle is in the store. */
  async #stored(changes: BundleDrafts['changes']): Promise<ReadonlyMap<string, Buffer>> {
    const { pool, tenant, writer, held } = this.#tools
    const keys = new Set(changes.map(keyTextOf))
    if ([...keys].some((key) => held.mayHold(key))) await held.release()
    if (writer.isPending(keys)) await writer.settle()
    const current = await readCurrentRows(
      pool,
      tenant,
      changes.map((change) => ('draft' in change ? change.draft : change.key)),
    )
    return new Map([...current].flatMap(([key, { deleted, digest }]) => (deleted ? [] : [[key, digest]])))
  }

  /** Those that the store has already, with conditional references resolved to what they still mean. */
  async #same(puts: readonly BundlePut[]): Promise<ReadonlySet<BundlePut>> {
    const { pool, tenant } = this.#tools
    const resolved = new Map<BundlePut, readonly Resolution[]>()
    const conditional = puts.filter(({ draft }) => draft.conditional)
    for (let at = 0; at < conditional.length; at += textsMax) {
      const some = conditional.slice(at, at + textsMax)
      const stored = await currentTexts(
        pool,
        tenant,
        some.map(({ draft }) => draft),
      )
      for (const put of some) {
        const body = stored.get(put.draft.key)
        const found = body === undefined ? undefined : resolutionsIn(body, put.text, put.draft.id)
        if (found) resolved.set(put, found)
      }
    }
    const all = [...resolved.values()].flat()
    const answers = await this.#answers(all.map(({ query }) => query))
    const meant = new Set(all.filter(({ target, query }, at) => isOnly(answers[at]!, query.type, target)))
    return new Set([...resolved].flatMap(([put, found]) => (found.every((one) => meant.has(one)) ? put : [])))
  }

  /** The ids that meet the conditions when everything before this Bundle is in the store, at most two of each. */
  async #answers(queries: readonly IdentifierQuery[]): Promise<readonly (readonly string[])[]> {
    const { pool, tenant, writer, held } = this.#tools
    if (queries.length === 0) return []
    if (queries.some((query) => held.mayAnswer(query))) await held.release()
    await writer.settle()
    return idsByIdentifier(pool, tenant, queries)
  }

  async #put({ entry, draft, text, open }: BundlePut, isNew: boolean): Promise<void> {
    const { held, writer, tally } = this.#tools
    for (const names of open) tally.open.add({ record: draft.key, names, because: 'nothing matches' })
    const at = this.#placeOf(entry)
    const step: Step = { kind: 'put', draft, at, ...(isNew && { onlyNew: true }) }
    if (draft.conditional || held.mayHold(draft.key)) await held.hold({ ...step, text: Buffer.from(text) })
    else await writer.add([step])
  }

  async #delete(entry: PlannedDelete): Promise<void> {
    const { held, writer } = this.#tools
    const step = { kind: 'delete' as const, key: entry.key, at: this.#placeOf(entry) }
    if (held.mayHold(keyOf(entry.key))) await held.hold(step)
    else await writer.add([step])
  }
}

const identifiersIn = ({ resource }: PlannedPut): Identifier[] => identifiersOf(JSON.parse(resource) as JsonObject)

const isOnly = ([id, ...others]: readonly string[], type: string, target: string): boolean =>
  others.length === 0 && `${type}/${id}` === target

const keyTextOf = (change: BundlePut | PlannedDelete): string =>
  'draft' in change ? change.draft.key : keyOf(change.key)

/** Two entries that would become one record, unless both say the same. */
function twiceIn(changes: BundleDrafts['changes']): string | undefined {
  const firsts = new Map<string, BundlePut | PlannedDelete>()
  for (const change of changes) {
    const key = keyTextOf(change)
    const first = firsts.get(key)
    if (first && !isSaidTwice(first, change)) {
      const entryOf = (one: BundlePut | PlannedDelete) => nameOf('draft' in one ? one.entry : one)
      return `${entryOf(first)} and ${entryOf(change)} are different, and would become one record; load them apart, into tenants of their own if they are of different sources`
    }
    firsts.set(key, change)
  }
  return undefined
}

const isSaidTwice = (first: BundlePut | PlannedDelete, second: BundlePut | PlannedDelete): boolean =>
  'draft' in first ? 'draft' in second && first.draft.digest.equals(second.draft.digest) : !('draft' in second)
