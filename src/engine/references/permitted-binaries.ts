import type { LocalReference } from '../../fhir/reference.ts'
import { securityContextOf } from '../../fhir/security-context.ts'
import { exportedOwners } from '../../jobs/partition.ts'
import { readTest } from '../../protocol/request/filters.ts'
import { type RecordAsOf, recordsWithIds } from '../../records/as-of.ts'
import { keyOf } from '../../records/current.ts'
import { ownersAsOf } from '../../records/owners.ts'
import type { Selection } from '../partition/selection.ts'

/** What stands for no context at all. */
const none = ''

/**
 * Which Binaries that are nobody's may come along. One is read by whoever may read what its `securityContext` names (FHIR R4): it comes only
 * where that is a record of an exported patient, or nobody's, and one that the token's scopes let read. Whoever refers to it does not decide.
 */
export class PermittedBinaries {
  readonly #selection: Selection
  #exported: Promise<ReadonlySet<string>> | undefined

  constructor(selection: Selection) {
    this.#selection = selection
  }

  /** @param records of the type; of other types all may come */
  async among(type: string, records: readonly RecordAsOf[]): Promise<readonly RecordAsOf[]> {
    if (type !== 'Binary') return records
    const { base } = this.#selection.job.request
    const contexts = new Map<string, LocalReference>()
    const contextOf = new Map<string, string>()
    for (const { id, body } of records) {
      const context = securityContextOf(body, [base])
      if (context === undefined) continue
      contexts.set(keyOf(context), context)
      contextOf.set(id, keyOf(context))
    }
    const open = await this.#open(contexts)
    return records.filter(({ id }) => open.has(contextOf.get(id) ?? none))
  }

  /** Those of the contexts that let a Binary come. */
  async #open(contexts: ReadonlyMap<string, LocalReference>): Promise<ReadonlySet<string>> {
    const open = new Set([none])
    if (contexts.size === 0) return open
    const { job, pool, at } = this.#selection
    const closed: readonly string[] = job.request.contexts?.closed ?? []
    const owners = await ownersAsOf(pool, { ...at, keys: [...contexts.values()] })
    for (const [key, context] of contexts) {
      if (closed.includes(context.type) || !(await this.#isExported(owners.get(key) ?? ['']))) continue
      if (await this.#passes(context)) open.add(key)
    }
    return open
  }

  async #isExported(owners: readonly string[]): Promise<boolean> {
    const { pool, job } = this.#selection
    if (job.request.reach !== undefined) return true
    this.#exported ??= exportedOwners(pool, job.id)
    const exported = await this.#exported
    return owners.some((owner) => owner === '' || exported.has(owner))
  }

  /** Whether granular scopes let a record be read. */
  async #passes({ type, id }: LocalReference): Promise<boolean> {
    const { job, pool, at } = this.#selection
    const queries = job.request.contexts?.narrowed[type]
    if (queries === undefined) return true
    const passes = readTest(queries, { base: job.request.base, now: job.transactionTime })
    for await (const records of recordsWithIds(pool, { ...at, type, ids: [id] }))
      if (records.some(({ body }) => passes(String(body)))) return true
    return false
  }
}
