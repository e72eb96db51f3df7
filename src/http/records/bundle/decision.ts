import { type Problem, problem } from '../../../protocol/problem.ts'
import type { Identified } from '../../../records/identifiers.ts'
import { severalMatches, updateTarget } from '../request-condition.ts'
import { versionConflict } from '../version-conflict.ts'
import { inEntry } from './entry-step.ts'
import type { Delete, Step, Target, Write } from './step.ts'
import { type AskedIdentifiers, queryKey, type StoreView, withoutKeys } from './store-view.ts'

/** Which record an entry means, and what becomes of it. `key` is the `Type/id`. */
export type Decision =
  | { readonly kind: 'refused'; readonly problems: readonly Problem[]; readonly key: string | undefined }
  | { readonly kind: 'read'; readonly key: string }
  | { readonly kind: 'delete' | 'write'; readonly key: string; readonly id: string; readonly seen: number | undefined }
  /** A conditional create found the record: in the store, or as what another entry creates. */
  | { readonly kind: 'found'; readonly key: string; readonly record: Identified | undefined }
  /** A conditional delete found none. */
  | { readonly kind: 'nothing'; readonly key: undefined }

/** Decides on the entries in the order of R4 (http.html#trules): deletes, creates, updates. Each sees what those before it did. */
export function decisionsOf(steps: readonly Step[], store: StoreView, asked: AskedIdentifiers): Decision[] {
  const deciding = new Deciding(store, asked)
  const decisions = new Map<Step, Decision>()
  for (const step of steps) if (step.kind === 'delete') decisions.set(step, deciding.delete(step))
  for (const step of steps) if (step.kind === 'create') decisions.set(step, deciding.create(step))
  for (const step of steps) if (step.kind === 'update') decisions.set(step, deciding.update(step))
  const changed = new Set<string>()
  return steps.map((step) => {
    if (step.kind === 'refused') return step
    if (step.kind === 'read') return { kind: 'read', key: `${step.type}/${step.id}` }
    const decision = decisions.get(step)!
    if (decision.kind !== 'delete' && decision.kind !== 'write') return decision
    if (changed.has(decision.key)) return refused(step, twice, decision.key)
    changed.add(decision.key)
    return decision
  })
}

const twice = problem(400, 'duplicate', 'The Bundle changes a resource twice.')

const refused = ({ index }: Step, found: Problem, key?: string): Decision => ({
  kind: 'refused',
  problems: [inEntry(found, index)],
  key,
})

class Deciding {
  readonly #store: StoreView
  readonly #asked: AskedIdentifiers
  readonly #deleted = new Set<string>()
  /** Keys of created records by the identifiers that they will have. */
  readonly #created = new Map<string, Set<string>>()
  /** What is left of the records that have an identifier, by its name: many conditions may ask for the same. */
  readonly #left = new Map<string, readonly Identified[]>()

  constructor(store: StoreView, asked: AskedIdentifiers) {
    this.#store = store
    this.#asked = asked
  }

  delete(step: Delete): Decision {
    const { target, type } = step
    const [only, another] = target.kind === 'condition' ? this.#store.identified(target.query) : []
    if (target.kind === 'condition' && another !== undefined) return refused(step, severalMatches(target.query))
    const id = target.kind === 'id' ? target.id : only?.id
    if (id === undefined) return { kind: 'nothing', key: undefined }
    const key = `${type}/${id}`
    this.#deleted.add(key)
    return { kind: 'delete', key, id, seen: only?.version }
  }

  create(step: Write): Decision {
    const { target, draft } = step
    if (target.kind === 'condition') {
      const { stored, created } = this.#candidates(target)
      if (stored.length + created.length > 1) return refused(step, severalMatches(target.query))
      const [record] = stored
      const key = record ? `${step.type}/${record.id}` : created[0]
      if (key !== undefined) return { kind: 'found', key, record }
    }
    for (const name of this.#asked.of(draft)) {
      const keys = this.#created.get(name)
      if (keys) keys.add(draft.key)
      else this.#created.set(name, new Set([draft.key]))
    }
    return { kind: 'write', key: draft.key, id: draft.id, seen: undefined }
  }

  update(step: Write): Decision {
    const { type, target, statedId, draft } = step
    if (target.kind !== 'condition') return { kind: 'write', key: draft.key, id: draft.id, seen: undefined }
    const { stored, created } = this.#candidates(target)
    // What an entry creates, no other may change.
    if (created.length > 0)
      return refused(step, stored.length + created.length > 1 ? severalMatches(target.query) : twice)
    const statedKey = `${type}/${statedId}`
    const isTaken = this.#store.has(statedKey) && !this.#deleted.has(statedKey)
    const found = updateTarget(target.query, stored, statedId, isTaken)
    if ('status' in found) return refused(step, found)
    if (found.kind === 'new' && step.ifMatch !== undefined) return refused(step, versionConflict({ version: 0 }))
    if (found.kind === 'new') return { kind: 'write', key: draft.key, id: draft.id, seen: 0 }
    const { id, version } = found.record
    return { kind: 'write', key: `${type}/${id}`, id, seen: version }
  }

  /** The records that meet a condition when all deletes and the creates so far are done; of the created ones two, which are several. */
  #candidates({ query }: Target & { kind: 'condition' }): { stored: readonly Identified[]; created: string[] } {
    const name = queryKey(query)
    const stored = this.#left.get(name) ?? withoutKeys(this.#store.identified(query), query.type, this.#deleted)
    this.#left.set(name, stored)
    return { stored, created: [...(this.#created.get(name)?.values().take(2) ?? [])] }
  }
}
