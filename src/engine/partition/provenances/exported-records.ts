import type { Extent } from '../../../protocol/plan/pack-use.ts'

/** The most records whose Provenances can be found together: only a single patient with more could go beyond it. */
const exportedIdsMax = 1_000_000

/** What was exported of one owner. */
export interface ExportedOfOwner {
  /** How many of the owner's records of a type. */
  readonly extent: (type: string) => Extent
  /** @param target `Type/id` of a record of the owner that is there */
  readonly has: (target: string) => boolean
  /** Whether there is anything. */
  readonly any: boolean
}

/** What was exported of some owners, to know which Provenances come along. Of most types it is all or nothing; else ids are kept. */
export class ExportedRecords {
  readonly #whole: ReadonlySet<string>
  readonly #owners = new Map<string, Map<string, Set<string> | 'all'>>()
  #size = 0

  /** No type is exported in part: of every owner the same. */
  readonly isKnownBeforehand: boolean

  /** @param whole types of which every record is exported; `others`: whether there are types of which only some may be */
  constructor(whole: ReadonlySet<string>, others: boolean) {
    this.#whole = whole
    this.isKnownBeforehand = !others
  }

  /** Every record that the owner has of a type. */
  addAll(owner: string, type: string): void {
    this.#typesOf(owner).set(type, 'all')
  }

  /** @throws when there are more than memory is set aside for */
  add(owner: string, type: string, ids: readonly string[]): void {
    if (ids.length === 0) return
    const types = this.#typesOf(owner)
    const known = types.get(type) ?? new Set<string>()
    types.set(type, known)
    if (known === 'all') return
    for (const id of ids) known.add(id)
    this.#size += ids.length
    if (this.#size > exportedIdsMax) throw new Error(`a patient has more than ${exportedIdsMax} records`)
  }

  #typesOf(owner: string): Map<string, Set<string> | 'all'> {
    const types = this.#owners.get(owner) ?? new Map()
    this.#owners.set(owner, types)
    return types
  }

  of(owner: string): ExportedOfOwner {
    const types = this.#owners.get(owner)
    const found = (type: string) => (this.#whole.has(type) ? 'all' : types?.get(type))
    return {
      any: this.#whole.size > 0 || types !== undefined,
      extent: (type) => {
        const ids = found(type)
        return ids === undefined ? 'none' : ids === 'all' ? 'all' : 'some'
      },
      has: (target) => {
        const slash = target.indexOf('/')
        const ids = found(target.slice(0, slash))
        return ids === 'all' || (ids?.has(target.slice(slash + 1)) ?? false)
      },
    }
  }

  clear(): void {
    if (this.#size === 0 && this.#owners.size === 0) return
    this.#owners.clear()
    this.#size = 0
  }
}
