import type { LocalReference } from '../../fhir/reference.ts'
import { isResourceType } from '../../fhir/resource-types.ts'
import { securityContextOf } from '../../fhir/security-context.ts'
import { exportedOwners } from '../../jobs/partition.ts'
import { comesAlong, isNobodys } from '../../protocol/plan/coming-along.ts'
import { readsEveryContext } from '../../protocol/request/binary-contexts.ts'
import { readTest } from '../../protocol/request/filters.ts'
import { type RecordAsOf, recordsWithIds } from '../../records/as-of.ts'
import { type Key, keyOf } from '../../records/current.ts'
import { ownersAsOf } from '../../records/owners.ts'
import type { Selection } from '../partition/selection.ts'

/**
 * Which Binaries that are nobody's may come along. One is read by whoever may read what its `securityContext` names (FHIR R4): it comes only
 * where that is a record of an exported patient, or one that may come along itself, and one that the token's scopes let read. Whoever refers to
 * it does not decide; a context that is not there, or that cannot be read, lets nobody have it but who exports the whole system.
 */
export class PermittedBinaries {
  readonly #selection: Selection
  #exported: Promise<ReadonlySet<string>> | undefined

  constructor(selection: Selection) {
    this.#selection = selection
  }

  /**
   * @param records of the type; of other types all may come
   * @param owner whose block they come to; all that are exported if undefined
   */
  async among(type: string, records: readonly RecordAsOf[], owner?: string): Promise<readonly RecordAsOf[]> {
    if (type !== 'Binary') return records
    const { base } = this.#selection.job.request
    const contextOf = new Map(records.map(({ id, body }) => [id, securityContextOf(body, [base])]))
    const named = [...contextOf.values()].filter((context) => typeof context === 'object')
    const open = await this.#open(new Map(named.map((context) => [keyOf(context), context])), owner)
    return records.filter(({ id }) => {
      const context = contextOf.get(id)!
      if (context === 'none') return true
      return context === 'unreadable' ? this.#opensUnreadable() : open.has(keyOf(context))
    })
  }

  #opensUnreadable(): boolean {
    const { request } = this.#selection.job
    return request.reach === 'system' && readsEveryContext(request)
  }

  /** Those of the contexts that let a Binary come, `Type/id`. */
  async #open(contexts: ReadonlyMap<string, LocalReference>, owner: string | undefined): Promise<ReadonlySet<string>> {
    const { request } = this.#selection.job
    const closed: readonly string[] = request.contexts?.closed ?? []
    const asked = [...contexts.values()].filter(({ type }) => isResourceType(type) && !closed.includes(type))
    const passing = await this.#passing(asked)
    if (request.reach !== 'system') {
      const there = asked.filter((context) => passing.has(keyOf(context)))
      const isExported = await this.#ofExported(there, owner)
      return new Set(there.map(keyOf).filter((key) => passing.get(key) || isExported(key)))
    }
    // Of a type that is read whole a context need not be there.
    const whole = asked.filter(({ type }) => request.contexts?.narrowed[type] === undefined)
    return new Set([...passing.keys(), ...whole.map(keyOf)])
  }

  /** The contexts that are there, as far as granular scopes let read them; and whether each comes along itself where it is nobody's. */
  async #passing(contexts: readonly Key[]): Promise<ReadonlyMap<string, boolean>> {
    const { job, pool, at } = this.#selection
    const { base, contexts: read } = job.request
    const found = new Map<string, boolean>()
    for (const [type, some] of Map.groupBy(contexts, (context) => context.type)) {
      const queries = read?.narrowed[type]
      const passes = queries === undefined ? () => true : readTest(queries, { base, now: job.transactionTime })
      for await (const records of recordsWithIds(pool, { ...at, type, ids: some.map(({ id }) => id) })) {
        for (const record of records) {
          if (!passes(String(record.body))) continue
          found.set(`${type}/${record.id}`, isNobodys(record) && comesAlong(job.request, type))
        }
      }
    }
    return found
  }

  /** Whether some records belong to the owner, or to any that is exported; by `Type/id`. */
  async #ofExported(contexts: readonly Key[], only: string | undefined): Promise<(key: string) => boolean> {
    if (contexts.length === 0) return () => false
    const { pool, job, at } = this.#selection
    const owners = await ownersAsOf(pool, { ...at, keys: contexts })
    if (only === undefined && job.request.reach === undefined) this.#exported ??= exportedOwners(pool, job.id)
    const exported = await this.#exported
    const isExported = (owner: string) =>
      owner !== '' && (only === undefined ? (exported?.has(owner) ?? true) : owner === only)
    return (key) => (owners.get(key) ?? []).some(isExported)
  }
}
