import { type Deflated, deflateLinesSync } from '../gzip/deflated.ts'
import type { GatheredLines } from './gathered-lines.ts'
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
  /** Provenance: blank-separated `Type/id`. */
  readonly targets: string
  /** Not '': the type of a record of the owner that is there, and may be a target of those before it; it is not of this type itself. */
  readonly present: string
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
  readonly #presentTargets = new Set<string>()
  #changed = Number.NEGATIVE_INFINITY
  #undisputed = true
  readonly #lines: GatheredLines
  #oldest = Number.POSITIVE_INFINITY
  #newest = Number.NEGATIVE_INFINITY
  #refs = new Set<string>()

  /** @param lines for the lines of one pack after the other; nobody else may use it until the packs are finished */
  constructor({ owner, type }: { readonly owner: string; readonly type: string }, lines: GatheredLines) {
    this.owner = owner
    this.type = type
    this.#lines = lines
    lines.clear()
  }

  isOf({ owner, type }: PackRow): boolean {
    return owner === this.owner && type === this.type
  }

  /** Deleted ones count. */
  get hasVersions(): boolean {
    return this.#changed !== Number.NEGATIVE_INFINITY
  }

  add(row: PackRow): void {
    if (row.present === '') this.#addVersion(row)
    else this.#addPresent(row)
  }

  #addVersion(row: PackRow): void {
    if (this.#presentTargets.size > 0) throw new Error('versions came after the records that they could be about')
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

  #addPresent({ present, id, changed }: PackRow): void {
    const target = `${present}/${id}`
    if (!this.#targets.has(target)) return
    this.#presentTargets.add(target)
    this.#changed = Math.max(this.#changed, changed)
  }

  /** The distinct sets of types of targets that are there, as `Type,Type`; '' for a Provenance without any. */
  #targetTypes(): ReadonlySet<string> {
    const typesOf = (targets: string) => {
      const present = targets.split(' ').filter((target) => this.#presentTargets.has(target))
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
