import type { ClientBase } from 'pg'
import type { IdentifierQuery } from '../../../fhir/bundle/identifier-query.ts'
import { type Key, keyOf, readCurrentRows } from '../../../records/current.ts'
import type { Draft } from '../../../records/draft.ts'
import { type Identified, recordsByIdentifier } from '../../../records/identifiers.ts'
import type { Step } from './step.ts'

/** What a Bundle has to know of the store. */
export interface StoreView {
  /** The records that have an identifier: of very many, as many as are needed to tell whether one, none or several are left. */
  readonly identified: (query: IdentifierQuery) => readonly Identified[]
  /** Whether there is a record with this `Type/id`. */
  readonly has: (key: string) => boolean
}

/** What the steps of a Bundle ask of the store. */
export interface Questions {
  readonly queries: readonly IdentifierQuery[]
  /** Those of them by which is decided whether there is to be one more record. */
  readonly alone: readonly IdentifierQuery[]
  /** Ids that conditional updates would give to new records. */
  readonly keys: readonly Key[]
  /** How many records of each type the steps may delete or change: so many of those that are found do not count any more. */
  readonly changes: ReadonlyMap<string, number>
}

export function questionsOf(steps: readonly Step[]): Questions {
  const queries = new Map<string, IdentifierQuery>()
  const alone = new Map<string, IdentifierQuery>()
  const keys: Key[] = []
  const changes = new Map<string, number>()
  for (const step of steps) {
    if (step.kind === 'refused' || step.kind === 'read') continue
    if (step.kind !== 'create') changes.set(step.type, (changes.get(step.type) ?? 0) + 1)
    if (step.target.kind === 'condition') {
      queries.set(queryKey(step.target.query), step.target.query)
      if (step.kind !== 'delete') alone.set(queryKey(step.target.query), step.target.query)
    }
    if (step.kind === 'delete') continue
    for (const query of step.conditional.values()) queries.set(queryKey(query), query)
    if (step.kind === 'update' && step.target.kind === 'condition' && step.statedId !== undefined) {
      keys.push({ type: step.type, id: step.statedId })
    }
  }
  return { queries: [...queries.values()], alone: [...alone.values()], keys, changes }
}

/**
 * So many records of one identifier are looked at, at most: more than the ones that a Bundle deletes or changes must be seen to tell
 * whether any is left. Where there are more than that, several are left for certain, or it is answered as if they were.
 */
const identifiedMax = 1_000

/** The records of those found that are none of the given, and so still have the identifier. */
export const withoutKeys = (found: readonly Identified[], type: string, gone: ReadonlySet<string>): Identified[] =>
  found.length > identifiedMax ? found.slice(0, 2) : found.filter(({ id }) => !gone.has(`${type}/${id}`))

/** Equal for queries that ask for the same. */
export const queryKey = ({ type, system, value }: IdentifierQuery): string => JSON.stringify([type, system, value])

/** The identifiers that a Bundle asks for: of the very many that its records may have, only these are to be compared. */
export class AskedIdentifiers {
  readonly #names: ReadonlySet<string>
  readonly #values: ReadonlySet<string>

  constructor(queries: readonly IdentifierQuery[]) {
    this.#names = new Set(queries.map(queryKey))
    this.#values = new Set(queries.map(({ value }) => value))
  }

  /** The distinct ones that a record has, in the form of `queryKey`. */
  of({ type, identifiers }: Pick<Draft, 'type' | 'identifiers'>): ReadonlySet<string> {
    const found = new Set<string>()
    for (const { system, value } of identifiers) {
      const name = this.#values.has(value) ? queryKey({ type, system, value }) : ''
      if (this.#names.has(name)) found.add(name)
    }
    return found
  }
}

/** For a Bundle that asks nothing. */
export const noView: StoreView = { identified: () => [], has: () => false }

/** Answers questions, in the transaction that will act on the answers. */
export async function viewOf(client: ClientBase, tenant: string, questions: Questions): Promise<StoreView> {
  const most = questions.queries.map(({ type }) => Math.min((questions.changes.get(type) ?? 0) + 2, identifiedMax + 1))
  const records = await recordsByIdentifier(client, tenant, questions.queries, most)
  const byQuery = new Map(questions.queries.map((query, at) => [queryKey(query), records[at]!]))
  const current = questions.keys.length > 0 ? await readCurrentRows(client, tenant, questions.keys) : new Map()
  const taken = new Set([...current.values()].filter(({ deleted }) => !deleted).map(keyOf))
  return { identified: (query) => byQuery.get(queryKey(query)) ?? [], has: (key) => taken.has(key) }
}
