import { type Deflated, deflateLines, joined } from '../../../gzip/deflated.ts'
import { recordedOf } from '../../provenance-age.ts'
import type { ColumnEntry, ColumnSection } from '../columns/column-entry.ts'
import { Numbered, writeColumns } from '../columns/write-columns.ts'
import type { Pack, Slice } from '../pack.ts'
import { inOrder, orderedBytesMax, slicesOf } from '../sections/pack-order.ts'
import { hasSectionMember, memberTextOf, untold } from '../sections/section-key.ts'
import { type Section, sectionsOf } from '../sections/sections.ts'
import type { GatheredLines } from './gathered-lines.ts'
import type { PresentRecords } from './present-records.ts'

/** A change of an owner's records of one type, in the order of their ids. Times are milliseconds since 1970. */
export interface PackRow {
  readonly owner: string
  readonly type: string
  /** When the version came, or when it went. */
  readonly changed: number
  readonly updated: number
  readonly shared: boolean
  readonly id: string
  /** Blank-separated `Type/id`. */
  readonly refs: string
  /** Provenance: blank-separated `Type/id`. */
  readonly targets: string
  /** null when the record is not there any more, or this version is not its current one. */
  readonly body: Buffer | null
}

/** The lines of one pack: a larger owner gets several, so that what inflates one of them holds no more than this and one record. */
const packLinesBytesMax = 2 * 1024 * 1024

/** What the packs of one owner and type may weigh. One who has more is read as versions: packs of one owner can be held together. */
const ownerPackedBytesMax = 4 * 1024 * 1024

/** Deflate level of packs: higher ones make them a little smaller and deflating much slower (docs/decisions/0028). */
const packLevel = 1

/** Of a record that is gathered where its line begins, and what it is put in order by. */
interface Gathered extends ColumnEntry {
  readonly start: number
  readonly key: string
}

/** One pack before everything about the others is known. */
interface Piece {
  readonly slice: Slice
  readonly entries: readonly ColumnEntry[]
  readonly sections: readonly ColumnSection[]
  readonly lines: Deflated
}

const nothing: Section<Gathered> = { items: [], key: undefined }

/** Makes the packs of one owner and type out of its rows. */
export class PackBuilder {
  readonly owner: string
  readonly type: string
  readonly #isOfProvenances: boolean
  /** Lines are put in order by a member of theirs. */
  readonly #isByMember: boolean
  readonly #present: PresentRecords
  readonly #lines: GatheredLines
  /** Of the lines that are gathered. */
  #entries: Gathered[] = []
  readonly #shared: Gathered[] = []
  #rank = 0
  #pieces: Piece[] = []
  #packedBytes = 0
  /** These records cannot be packed: they are too many. */
  #unpackable = false
  #changed = Number.NEGATIVE_INFINITY
  /** So many bytes may be put in order; with more Provenances are packed as they come. */
  #gatheredBytesMax: number

  /**
   * @param present Provenance: what there is of the owner when the packs are finished
   * @param lines for the lines of one pack after the other; nobody else may use it until the packs are finished
   */
  constructor(type: string, present: PresentRecords, lines: GatheredLines) {
    this.owner = present.owner
    this.type = type
    this.#isOfProvenances = type === 'Provenance'
    this.#isByMember = hasSectionMember(type)
    this.#gatheredBytesMax = this.#isOfProvenances || this.#isByMember ? orderedBytesMax : packLinesBytesMax
    this.#present = present
    this.#lines = lines
    lines.clear()
  }

  isOf({ owner, type }: PackRow): boolean {
    return owner === this.owner && type === this.type
  }

  add(row: PackRow): void {
    this.#changed = Math.max(this.#changed, row.changed)
    if (row.body === null || this.#unpackable) return
    if (row.shared) {
      this.#shared.push(this.#entryOf(row, row.body))
      return
    }
    if (this.#lines.records > 0 && this.#lines.length + row.body.length + 1 > this.#gatheredBytesMax) {
      if (this.#isByMember) {
        this.#giveUp()
        return
      }
      this.#gatheredBytesMax = packLinesBytesMax
      this.#deflate('', this.#entries)
      this.#clear()
    }
    this.#entries.push(this.#entryOf(row, row.body))
    this.#lines.add(row.body)
  }

  #giveUp(): void {
    this.#unpackable = true
    this.#pieces = []
  }

  /** Of a record whose line is the next one that is gathered. */
  #entryOf({ id, shared, updated, refs, targets }: PackRow, body: Buffer): Gathered {
    return {
      id,
      start: this.#lines.length,
      key: this.#isByMember ? memberTextOf(body) : '',
      length: shared ? 0 : body.length + 1,
      updated,
      refs,
      rank: this.#rank++,
      recorded: this.#isOfProvenances ? recordedOf(body) : Number.NEGATIVE_INFINITY,
      targets: targets === '' ? [] : targets.split(' '),
    }
  }

  #clear(): void {
    this.#lines.clear()
    this.#entries = []
  }

  /** Deflates gathered lines in the order of the entries, cut into pieces. */
  #deflate(slice: Slice, entries: readonly Gathered[]): void {
    let first = 0
    do {
      let [bytes, next] = [0, first]
      for (; next < entries.length; next++) {
        const { length } = entries[next]!
        if (next > first && bytes + length > packLinesBytesMax) break
        bytes += length
      }
      const piece = this.#pieceOf(slice, entries.slice(first, next))
      this.#pieces.push(piece)
      this.#packedBytes += piece.lines.blocks.length
      first = next
    } while (first < entries.length)
    if (this.#packedBytes > ownerPackedBytesMax) this.#giveUp()
  }

  #pieceOf(slice: Slice, entries: readonly Gathered[]): Piece {
    const divided = entries.length === 0 ? [nothing] : sectionsOf(entries)
    const sections = divided.map(({ items, key }) => ({
      told: this.#isByMember && key !== untold ? key : undefined,
      lines: deflateLines(this.#linesOf(items), items.length, packLevel),
    }))
    const lines = joined(sections.map((section) => section.lines))
    // A pack that holds other lines than it says would be copied for as long as it lives.
    if (lines.bytes !== entries.reduce((sum, { length }) => sum + length, 0)) throw new Error('a pack has lost lines')
    return { slice, entries, sections, lines }
  }

  /** The lines of some entries: where these are neighbours a view, else a copy. */
  #linesOf(entries: readonly Gathered[]): Buffer {
    const { bytes } = this.#lines
    const start = entries[0]?.start ?? 0
    let end = start
    for (const entry of entries) {
      if (entry.start !== end)
        return Buffer.concat(entries.map((one) => bytes.subarray(one.start, one.start + one.length)))
      end += entry.length
    }
    return bytes.subarray(start, end)
  }

  /** The packs: an empty one when there are no records, none when these cannot be packed. */
  finish(): Pack[] {
    if (this.#isOfProvenances && !this.#present.isComplete) return []
    if (this.#isOfProvenances && this.#pieces.length === 0) this.#deflateSlices()
    else this.#deflateRest()
    this.#clear()
    return this.#unpackable ? [] : this.#pieces.map((piece, number) => this.#packOf(piece, number))
  }

  #deflateRest(): void {
    if (this.#entries.length > 0 || this.#pieces.length === 0) this.#deflate('', inOrder(this.#entries))
    this.#addEntries('', this.#shared)
    if (!this.#isOfProvenances) return
    this.#pieces = this.#pieces.map((piece) => ({
      ...piece,
      entries: piece.entries.map((entry) => this.#withPresent(entry)),
    }))
  }

  /** Those of Provenances, the slice of older ones only if there are any. */
  #deflateSlices(): void {
    const placed = [...this.#entries, ...this.#shared].map((entry) => this.#withPresent(entry))
    for (const [slice, entries] of slicesOf(placed)) {
      if (slice === 'older' && entries.length === 0) continue
      this.#deflate(
        slice,
        entries.filter(({ length }) => length > 0),
      )
      this.#addEntries(
        slice,
        entries.filter(({ length }) => length === 0),
      )
    }
  }

  /** Adds what has no line to the first piece of a slice. */
  #addEntries(slice: Slice, entries: readonly ColumnEntry[]): void {
    const index = this.#pieces.findIndex((piece) => piece.slice === slice)
    if (index < 0 || entries.length === 0) return
    const piece = this.#pieces[index]!
    this.#pieces[index] = { ...piece, entries: [...piece.entries, ...entries] }
  }

  /** A Provenance with those targets only that are there. When they came, or others went, has changed what the packs say. */
  #withPresent<Entry extends ColumnEntry>(entry: Entry): Entry {
    for (const target of entry.targets) this.#changed = Math.max(this.#changed, this.#present.changed(target))
    return { ...entry, targets: entry.targets.filter((target) => this.#present.came(target) !== undefined) }
  }

  #packOf({ slice, entries, sections, lines }: Piece, number: number): Pack {
    const refs = new Numbered()
    const typeSets = this.#isOfProvenances ? new Numbered() : undefined
    const columns = entries.length === 0 ? undefined : writeColumns(entries, sections, refs, typeSets)
    const shared = entries.filter(({ length }) => length === 0)
    return {
      owner: this.owner,
      type: this.type,
      number,
      total: this.#pieces.length,
      ...lines,
      changed: this.#changed,
      oldest: entries.reduce((oldest, { updated }) => Math.min(oldest, updated), Number.POSITIVE_INFINITY),
      newest: entries.reduce((newest, { updated }) => Math.max(newest, updated), Number.NEGATIVE_INFINITY),
      refs: Buffer.from(refs.texts.join(' '), 'latin1'),
      shared: shared.map(({ id }) => `${this.type}/${id}`).join(' '),
      targets: typeSets?.texts.join(' ') ?? '',
      slice,
      present: '',
      columns,
    }
  }
}
