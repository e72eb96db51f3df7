import { referenceHopsMax } from '../../protocol/limits.ts'
import { isNobodys } from '../../protocol/plan/coming-along.ts'
import { recordsWithIds } from '../../records/as-of.ts'
import type { shapesOf } from '../partition/choice.ts'
import type { Selection } from '../partition/selection.ts'
import { PermittedBinaries } from './permitted-binaries.ts'

/** Bytes of records that are kept at hand. */
const keptBytesMax = 32 * 1024 * 1024

/** Records that are looked up at a time. */
const lookUpIdsMax = 1_000

/** A record as it is exported; undefined for one that is not. */
type Kept = { readonly body: Buffer; readonly refs: string } | undefined

/** Looks up the records that others refer to for block after block: neighbours refer to the same ones. */
export class ReferencedRecords {
  readonly #selection: Selection
  readonly #shapeOf: ReturnType<typeof shapesOf>
  readonly #permitted: PermittedBinaries
  readonly #kept = new Map<string, Kept>()
  #keptBytes = 0

  constructor(selection: Selection, shapeOf: ReturnType<typeof shapesOf>) {
    this.#selection = selection
    this.#shapeOf = shapeOf
    this.#permitted = new PermittedBinaries(selection)
  }

  /**
   * The records that some lists of references of an owner's records name, and what these refer to where the export follows on (O-14); by type and id, as they
   * are exported. What is not in the store is noted, and the last partition reports it.
   * @param refs blank-separated `Type/id` and marks of open references, which are noted
   */
  async reached(owner: string, refs: Iterable<string>): Promise<{ readonly body: Buffer }[]> {
    const { referenceWalk } = this.#selection.job.request
    const hopsMax = referenceWalk === 'transitive' ? referenceHopsMax : 0
    const found = new Map<string, Kept>()
    for (const list of refs) this.#selection.noteOpen(list)
    for (let hop = 0, keys = this.#keysIn(refs); keys.length > 0 && hop <= hopsMax; hop++) {
      const records = await this.#records(owner, keys)
      for (const [key, record] of records) {
        found.set(key, record)
        if (record !== undefined && hopsMax > 0) this.#selection.noteOpen(record.refs)
      }
      keys = this.#keysIn([...records.values()].map((record) => record?.refs ?? '')).filter((key) => !found.has(key))
    }
    return [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, record]) => (record === undefined ? [] : [record]))
  }

  #keysIn(refs: Iterable<string>): string[] {
    return [...new Set([...refs].flatMap((list) => (list === '' ? [] : this.#selection.selected(list))))]
  }

  async #records(owner: string, keys: readonly string[]): Promise<Map<string, Kept>> {
    const found = new Map(keys.filter((key) => this.#kept.has(key)).map((key) => [key, this.#kept.get(key)]))
    const missing = keys.filter((key) => !found.has(key))
    for (const type of new Set(missing.map(typeOf))) {
      const ids = missing.filter((key) => key.startsWith(`${type}/`)).map((key) => key.slice(type.length + 1))
      for (let at = 0; at < ids.length; at += lookUpIdsMax) {
        for (const [key, kept] of await this.#lookUp(owner, type, ids.slice(at, at + lookUpIdsMax)))
          found.set(key, kept)
      }
    }
    return found
  }

  async #lookUp(owner: string, type: string, ids: readonly string[]): Promise<Map<string, Kept>> {
    const { at, pool, references } = this.#selection
    const { choose, render } = this.#shapeOf(type)
    const absent = new Set(ids)
    const found = new Map<string, Kept>()
    for await (const records of recordsWithIds(pool, { ...at, type, ids })) {
      for (const { id } of records) {
        absent.delete(id)
        found.set(`${type}/${id}`, undefined)
      }
      const own = await this.#permitted.among(type, choose(records.filter(isNobodys)), owner)
      for (const record of render(own)) {
        const { id, refs } = record
        found.set(`${type}/${id}`, { body: Buffer.from(this.#selection.written(record)), refs })
      }
    }
    for (const id of absent) {
      references.add(`${type}/${id}`)
      found.set(`${type}/${id}`, undefined)
    }
    // What of Binaries comes depends on whose block it is.
    if (type !== 'Binary') this.#keep(found)
    return found
  }

  #keep(found: ReadonlyMap<string, Kept>): void {
    if (this.#keptBytes > keptBytesMax) {
      this.#kept.clear()
      this.#keptBytes = 0
    }
    for (const [key, kept] of found) {
      this.#kept.set(key, kept)
      this.#keptBytes += key.length + (kept ? kept.body.length + kept.refs.length : 0)
    }
  }
}

const typeOf = (key: string): string => key.slice(0, key.indexOf('/'))
