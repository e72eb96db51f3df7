import { type Problem, problem } from '../../../protocol/problem.ts'
import { inEntry } from './entry-step.ts'
import type { BundleType } from './step.ts'

/** An entry and its record. */
interface Dependent {
  readonly at: number
  readonly key: string
  /** Without the entry there is no such record. */
  readonly isNew: boolean
}

/**
 * The entries of a Bundle that are refused, and with them those that refer to records which do not come into being: their references
 * would lead nowhere, or one day to somebody else.
 */
export class Refusals {
  readonly #type: BundleType
  readonly #problems = new Map<number, Problem[]>()
  /** Entries by the keys that they refer to. */
  readonly #dependents = new Map<string, Dependent[]>()
  /** Keys of records that do not come into being. */
  readonly #missing = new Set<string>()
  /** Those of them that are missing though nothing was refused. */
  readonly #absent = new Set<string>()

  constructor(type: BundleType) {
    this.#type = type
  }

  refuse({ at, key, isNew }: Dependent, problems: readonly Problem[]): void {
    this.#problems.set(at, [...(this.#problems.get(at) ?? []), ...problems])
    if (isNew) this.#missing.add(key)
  }

  /** The entry with this key succeeds without there being a record. */
  holdsNoRecord(key: string): void {
    this.#missing.add(key)
    this.#absent.add(key)
  }

  depends(on: Iterable<string>, dependent: Dependent): void {
    for (const name of on) {
      const known = this.#dependents.get(name)
      if (known) known.push(dependent)
      else this.#dependents.set(name, [dependent])
    }
  }

  /** The problems of each refused entry, by its place. A transaction fails as a whole: there, what follows from a problem is not told. */
  all(): ReadonlyMap<number, readonly Problem[]> {
    const pending = [...(this.#type === 'batch' ? this.#missing : this.#absent)]
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      for (const { at, key, isNew } of this.#dependents.get(name) ?? []) {
        if (this.#problems.has(at)) continue
        this.#problems.set(at, [inEntry(noRecord, at)])
        if (isNew) pending.push(key)
      }
    }
    return this.#problems
  }
}

const noRecord = problem(400, 'not-found', 'The entry refers to one that becomes no record.')
