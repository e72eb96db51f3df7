import { type Deflated, deflateLinesSync } from '../../gzip/deflated.ts'
import type { GatheredLines } from './gathered-lines.ts'
import type { Pack } from './pack.ts'
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

/** One pack before everything about the others is known. */
interface Piece {
  readonly lines: Deflated
  readonly oldest: number
  readonly newest: number
  readonly refs: Buffer
}

/** Makes the packs of one owner and type out of its rows. */
export class PackBuilder {
  readonly owner: string
  readonly type: string
  #pieces: Piece[] = []
  #packedBytes = 0
  /** These records cannot be packed: they are too many, or one is about nothing that is there. */
  #unpackable = false
  readonly #shared: string[] = []
  readonly #targets = new Set<string>()
  readonly #targetLists = new Set<string>()
  readonly #present: PresentRecords
  #changed = Number.NEGATIVE_INFINITY
  #undisputed = true
  readonly #lines: GatheredLines
  #oldest = Number.POSITIVE_INFINITY
  #newest = Number.NEGATIVE_INFINITY
  #refs = new Set<string>()

  /**
   * @param present Provenance: what there is of the owner when the packs are finished
   * @param lines for the lines of one pack after the other; nobody else may use it until the packs are finished
   */
  constructor(type: string, present: PresentRecords, lines: GatheredLines) {
    this.owner = present.owner
    this.type = type
    this.#present = present
    this.#lines = lines
    lines.clear()
  }

  isOf({ owner, type }: PackRow): boolean {
    return owner === this.owner && type === this.type
  }

  add(row: PackRow): void {
    this.#changed = Math.max(this.#changed, row.changed)
    if (row.body === null) return
    if (this.#unpackable) return
    if (row.type === 'Provenance') this.#addTargets(row)
    const { records, length } = this.#lines
    if (!row.shared && records > 0 && length + row.body.length >= packLinesBytesMax) this.#deflate()
    if (row.refs !== '') for (const reference of row.refs.split(' ')) this.#refs.add(reference)
    this.#oldest = Math.min(this.#oldest, row.updated)
    this.#newest = Math.max(this.#newest, row.updated)
    if (row.shared) {
      this.#shared.push(`${row.type}/${row.id}`)
      return
    }
    this.#lines.add(row.body)
  }

  #addTargets({ targets }: PackRow): void {
    this.#targetLists.add(targets)
    for (const target of targets.split(' ')) {
      if (this.#targets.has(target)) this.#undisputed = false
      this.#targets.add(target)
    }
  }

  /** The distinct sets of types of targets that are there, as `Type,Type`; '' for a Provenance without any. */
  #targetTypes(): ReadonlySet<string> {
    const typesOf = (targets: string) => {
      const present = targets.split(' ').filter((target) => this.#present.came(target) !== undefined)
      return [...new Set(present.map((target) => target.slice(0, target.indexOf('/'))))].sort().join(',')
    }
    return new Set([...this.#targetLists].map(typesOf))
  }

  #deflate(): void {
    const lines = deflateLinesSync(this.#lines.bytes, this.#lines.records, packLevel)
    this.#lines.clear()
    const refs = Buffer.from([...this.#refs].join(' '), 'latin1')
    this.#pieces.push({ lines, oldest: this.#oldest, newest: this.#newest, refs })
    this.#packedBytes += lines.blocks.length
    if (this.#packedBytes > ownerPackedBytesMax) {
      this.#unpackable = true
      this.#pieces = []
    }
    this.#oldest = Number.POSITIVE_INFINITY
    this.#newest = Number.NEGATIVE_INFINITY
    this.#refs = new Set()
  }

  /** The packs: an empty one when there are no records, none when these cannot be packed. */
  finish(): Pack[] {
    if (this.#targets.size > 0 && !this.#present.isComplete) return []
    for (const target of this.#targets)
      this.#changed = Math.max(this.#changed, this.#present.came(target) ?? Number.NEGATIVE_INFINITY)
    const hasMore = this.#newest !== Number.NEGATIVE_INFINITY
    if (hasMore || this.#pieces.length === 0) this.#deflate()
    const targetTypes = this.#targetTypes()
    if (this.#unpackable || targetTypes.has('')) return []
    return this.#pieces.map(({ lines, oldest, newest, refs }, number) => ({
      owner: this.owner,
      type: this.type,
      number,
      total: this.#pieces.length,
      ...lines,
      changed: this.#changed,
      oldest,
      newest,
      refs,
      shared: number === 0 ? this.#shared.join(' ') : '',
      targets: [...targetTypes].join(' '),
      undisputed: this.#undisputed,
      absent: '',
    }))
  }
}
