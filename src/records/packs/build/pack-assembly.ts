import { absenceType } from '../absence-pack.ts'
import type { MarkedRow } from '../marked-rows.ts'
import type { Mark } from '../marks.ts'
import type { Pack } from '../pack.ts'
import { GatheredLines } from './gathered-lines.ts'
import { PackBuilder } from './pack-builder.ts'
import { PresentRecords } from './present-records.ts'

/** A mark with the packs of its records. None where these cannot be packed, and for a mark of no type: that pack is made at the end. */
export interface PackedMark {
  readonly mark: Mark
  readonly packs: readonly Pack[]
  /** Where the records were not read under the mark: what they are. */
  readonly madeOf?: MadeOf
}

/** Rows of an owner and type, all current, by their number and the first and the last time that they are valid from. */
interface MadeOf {
  readonly rows: number
  readonly since: number
  readonly until: number
}

/** Packs are put into the store when so many bytes of lines have been read: their packs are held, and those of one more owner. */
const linesBytesMax = 8 * 1024 * 1024

const keyOf = ({ owner, type }: { readonly owner: string; readonly type: string }): string => `${owner} ${type}`

/** Makes packs of the rows of some marks as they come, and holds them until they are taken. */
export class PackAssembly {
  /** The marks of which the packs are still to be made, by their keys. */
  readonly #waiting: Map<string, Mark>
  /** Owners with a mark of Provenances: of them it must be known what is there. */
  readonly #withProvenances: ReadonlySet<string>
  readonly #lines = new GatheredLines()
  /** What there is of the owner whose rows come. */
  #present = new PresentRecords('')
  /** Of the owner and type whose rows come. */
  #builder: PackBuilder | undefined
  #packed: PackedMark[] = []
  /** Bytes of the lines in what is packed and in what is being built. */
  #linesBytes = 0

  constructor(marks: readonly Mark[]) {
    this.#waiting = new Map(marks.map((mark) => [keyOf(mark), mark]))
    this.#withProvenances = new Set(marks.filter(({ type }) => type === 'Provenance').map(({ owner }) => owner))
  }

  /** Whether there is enough to be taken before a row is added: only between two owners or types. */
  isFullBefore(row: MarkedRow): boolean {
    return this.#linesBytes > linesBytesMax && !this.#builder?.isOf(row)
  }

  /** @param row in the order of the marks */
  add(row: MarkedRow): void {
    const builder = this.#builder?.isOf(row) ? this.#builder : this.#begin(row)
    if (this.#withProvenances.has(row.owner)) this.#notePresence(row)
    if (row.other !== '') return
    builder.add(row)
    this.#linesBytes += row.body?.length ?? 0
  }

  #notePresence({ other, type, id, changed, deleted, body }: MarkedRow): void {
    const ofType = other === '' ? type : other
    if (other === '' ? body === null : deleted) this.#present.addEnd(ofType, id, changed)
    else this.#present.add(ofType, id, changed)
  }

  /** What has been packed since it was last taken. */
  take(): readonly PackedMark[] {
    this.#finishBuilder()
    const packed = this.#packed
    this.#packed = []
    this.#linesBytes = 0
    return packed
  }

  /** The same after the last row, with the marks of which no row came. */
  takeRest(): readonly PackedMark[] {
    const packed = this.take()
    const empty = [...this.#waiting.values()].map((mark) => ({ mark, packs: this.#emptyPacks(mark) }))
    return [...packed, ...empty]
  }

  #begin({ owner, type }: MarkedRow): PackBuilder {
    this.#finishBuilder()
    if (this.#present.owner !== owner) this.#present = new PresentRecords(owner)
    this.#builder = new PackBuilder(type, this.#present, this.#lines)
    return this.#builder
  }

  #finishBuilder(): void {
    if (!this.#builder) return
    const { owner, type } = this.#builder
    this.#packed.push({ mark: this.#waiting.get(keyOf({ owner, type }))!, packs: this.#builder.finish() })
    this.#waiting.delete(keyOf({ owner, type }))
    this.#builder = undefined
    // The pack of no type comes with the owner's first: it names those types without versions that come with it.
    const absence = this.#waiting.get(keyOf({ owner, type: absenceType }))
    if (absence) this.#packed.push({ mark: absence, packs: [] })
    this.#waiting.delete(keyOf({ owner, type: absenceType }))
  }

  #emptyPacks({ owner, type }: Mark): readonly Pack[] {
    return type === absenceType ? [] : new PackBuilder(type, new PresentRecords(owner), this.#lines).finish()
  }
}
