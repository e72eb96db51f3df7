import { nobody } from '../../../fhir/ownership.ts'
import { stampBytesMax, statedLastUpdated } from '../../../fhir/resource-text.ts'
import { CopyChunk, textRoom } from '../../copy/copy-in.ts'
import type { Draft } from '../../draft.ts'
import { tokenOf } from '../../identifiers.ts'
import { writtenColumns } from '../../packs/fresh/written-rows.ts'
import { beforeTime, type NewProvenances, type NewRecords, noTime } from './new-records.ts'

/** What the fields of a row take beside their texts. */
const fieldsRoom = 2 + writtenColumns.length * 12

/** One of the owners of a record: the first leads. */
interface RowOwner {
  readonly owner: string
  readonly lead: boolean
  readonly shared: boolean
}

/** Puts rows of new records together: of Provenances, or of other types. */
export class NewRecordsBuilder {
  readonly #tenant: string
  readonly #keepLastUpdated: boolean
  readonly #buffer: Buffer
  readonly #chunk: CopyChunk
  readonly #places: number[] = []
  readonly #owned = new Set<string>()
  readonly #identifiers: { readonly type: string; readonly id: string; readonly token: string }[] = []
  readonly #targets = new Map<string, number>()
  readonly #starts: number[] = []
  readonly #indexes: number[] = []
  #count = 0
  #ofProvenances = false

  /** @param buffer for the rows */
  constructor(tenant: string, keepLastUpdated: boolean, buffer: Buffer) {
    this.#tenant = tenant
    this.#keepLastUpdated = keepLastUpdated
    this.#buffer = buffer
    this.#chunk = new CopyChunk(this.#buffer)
  }

  get count(): number {
    return this.#count
  }

  /** The targets of all Provenances so far. */
  get targets(): number {
    return this.#indexes.length
  }

  /** Whether a record can be one of these. */
  takes(draft: Draft): boolean {
    if (this.count > 0 && this.#ofProvenances !== (draft.owners === undefined)) return false
    return this.#chunk.hasRoom(this.#roomOf(draft))
  }

  /** What the rows of a record take at most, in bytes. */
  #roomOf({ type, id, owners = nobody, refs, targets, text }: Draft): number {
    const texts = textRoom(this.#tenant, type, id) + listRoom(refs) + listRoom(targets)
    const row = fieldsRoom + texts + digestRoom + text.bytes.length + stampBytesMax
    return owners.length * row + textRoom(...owners)
  }

  add(draft: Draft): void {
    const { type, id, owners, targets, identifiers } = draft
    const stated = this.#keepLastUpdated ? statedLastUpdated(draft.text) : undefined
    const shared = owners !== undefined && owners.length > 1
    for (const [index, owner] of (owners ?? nobody).entries())
      this.#addRow(draft, stated, { owner, lead: index === 0, shared })
    this.#count++
    this.#ofProvenances = owners === undefined
    if (owners === undefined) this.#addTargets(targets)
    else for (const owner of owners) if (owner !== '') this.#owned.add(`${owner}/${type}`)
    // What is said of a patient who comes only now is about something from now on.
    if (type === 'Patient') this.#owned.add(`${id}/Provenance`)
    for (const identifier of identifiers)
      this.#identifiers.push({ type, id, token: tokenOf(identifier).toString('hex') })
  }

  #addRow(draft: Draft, stated: number | undefined, { owner, lead, shared }: RowOwner): void {
    const { type, id, refs, targets, text } = draft
    const chunk = this.#chunk
    const start = chunk.length
    chunk.beginRow(writtenColumns.length)
    chunk.text(owner)
    chunk.text(this.#tenant)
    chunk.text(type)
    chunk.text(id)
    chunk.integer(1)
    const written = chunk.length + 4
    chunk.instant(0)
    chunk.instant(stated ?? 0)
    chunk.flag(false)
    chunk.flag(lead)
    chunk.flag(shared)
    chunk.text(refs.join(' '))
    chunk.text(targets.join(' '))
    chunk.binary(draft.digest)
    const time = stated === undefined ? chunk.length + 4 + text.cut + beforeTime.length : noTime
    chunk.line(text, 1, stated ?? 0)
    this.#places.push(start, written, time)
  }

  #addTargets(targets: readonly string[]): void {
    this.#starts.push(this.#indexes.length)
    for (const target of targets) {
      const index = this.#targets.get(target) ?? this.#targets.size
      if (index === this.#targets.size) this.#targets.set(target, index)
      this.#indexes.push(index)
    }
  }

  finish(): NewRecords {
    const identifiers = this.#identifiers
    return {
      bytes: this.#buffer.subarray(0, this.#chunk.length),
      count: this.count,
      places: Int32Array.from([...this.#places, this.#chunk.length]),
      owned: { owners: listOf(this.#owned, before), types: listOf(this.#owned, behind) },
      provenances: this.#ofProvenances ? this.#provenances() : undefined,
      identifiers: {
        types: listOf(identifiers, ({ type }) => type),
        ids: listOf(identifiers, ({ id }) => id),
        tokens: listOf(identifiers, ({ token }) => token),
      },
    }
  }

  #provenances(): NewProvenances {
    const targets = [...this.#targets.keys()]
    return {
      targets: { types: listOf(targets, before), ids: listOf(targets, behind) },
      starts: Int32Array.from([...this.#starts, this.#indexes.length]),
      indexes: Int32Array.from(this.#indexes),
    }
  }
}

const listOf = <Item>(items: Iterable<Item>, text: (item: Item) => string): string => Array.from(items, text).join(' ')

/** Neither ids nor types have a slash in them. */
const before = (pair: string): string => pair.slice(0, pair.indexOf('/'))
const behind = (pair: string): string => pair.slice(pair.indexOf('/') + 1)

/** What a list takes at most: all of it is ASCII. */
const listRoom = (items: readonly string[]): number => items.reduce((sum, item) => sum + item.length + 1, 0)

const digestRoom = 16
