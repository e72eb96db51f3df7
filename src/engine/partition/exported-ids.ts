/** The most records whose Provenances can be found together: only a single patient with more could go beyond it. */
const exportedIdsMax = 1_000_000

/** What was exported of some owners, to know which Provenances come along. */
export class ExportedIds {
  readonly #ids = new Map<string, Set<string>>()
  readonly #owners = new Set<string>()
  #size = 0

  /** @throws when there are more than memory is set aside for */
  add(type: string, records: readonly { readonly id: string; readonly owner: string }[]): void {
    const ids = this.#ids.get(type) ?? new Set()
    this.#ids.set(type, ids)
    for (const { id, owner } of records) {
      ids.add(id)
      this.#owners.add(owner)
    }
    this.#size += records.length
    if (this.#size > exportedIdsMax) throw new Error(`a patient has more than ${exportedIdsMax} records`)
  }

  /** @param reference `Type/id` */
  readonly has = (reference: string): boolean => {
    const slash = reference.indexOf('/')
    return this.#ids.get(reference.slice(0, slash))?.has(reference.slice(slash + 1)) ?? false
  }

  /** Whether any record of an owner was exported. */
  readonly hasOwner = (owner: string): boolean => this.#owners.has(owner)
}
