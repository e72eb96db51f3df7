import { type Deflated, deflateLinesSync } from '../gzip/deflated.ts'
import type { Pack } from './pack.ts'

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
  /** Provenance: blank-separated `Type/id`, and the types of those that are there as `Type,Type`. */
  readonly targets: string
  readonly targetTypes: string
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
  readonly refs: string
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
  readonly #targetTypes = new Set<string>()
  #changed = Number.NEGATIVE_INFINITY
  #undisputed = true
  #lines: Buffer[] = []
  #linesBytes = 0
  #oldest = Number.POSITIVE_INFINITY
  #newest = Number.NEGATIVE_INFINITY
  #refs = new Set<string>()

  constructor(first: { readonly owner: string; readonly type: string }) {
    this.owner = first.owner
    this.type = first.type
  }

  isOf({ owner, type }: PackRow): boolean {
    return owner === this.owner && type === this.type
  }

  add(row: PackRow): void {
    this.#changed = Math.max(this.#changed, row.changed)
    if (row.body === null) return
    if (this.#unpackable) return
    if (row.type === 'Provenance') this.#addTargets(row)
    if (!row.shared && this.#lines.length > 0 && this.#linesBytes + row.body.length >= packLinesBytesMax)
      this.#deflate()
    if (row.refs !== '') for (const reference of row.refs.split(' ')) this.#refs.add(reference)
    this.#oldest = Math.min(this.#oldest, row.updated)
    this.#newest = Math.max(this.#newest, row.updated)
    if (row.shared) {
      this.#shared.push(`${row.type}/${row.id}`)
      return
    }
    this.#lines.push(row.body, lineFeed)
    this.#linesBytes += row.body.length + 1
  }

  #addTargets({ targets, targetTypes }: PackRow): void {
    if (targetTypes === '') this.#unpackable = true
    this.#targetTypes.add(targetTypes)
    for (const target of targets.split(' ')) {
      if (this.#targets.has(target)) this.#undisputed = false
      this.#targets.add(target)
    }
  }

  #deflate(): void {
    const lines = deflateLinesSync(Buffer.concat(this.#lines), this.#lines.length / 2, packLevel)
    this.#pieces.push({ lines, oldest: this.#oldest, newest: this.#newest, refs: [...this.#refs].join(' ') })
    this.#packedBytes += lines.blocks.length
    if (this.#packedBytes > ownerPackedBytesMax) {
      this.#unpackable = true
      this.#pieces = []
    }
    this.#lines = []
    this.#linesBytes = 0
    this.#oldest = Number.POSITIVE_INFINITY
    this.#newest = Number.NEGATIVE_INFINITY
    this.#refs = new Set()
  }

  /** The packs: an empty one when there are no records, none when these cannot be packed. */
  finish(): Pack[] {
    const hasMore = this.#newest !== Number.NEGATIVE_INFINITY
    if (hasMore || this.#pieces.length === 0) this.#deflate()
    if (this.#unpackable) return []
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
      targets: [...this.#targetTypes].join(' '),
      undisputed: this.#undisputed,
    }))
  }
}

const lineFeed = Buffer.from('\n')
