import { inflateRawSync } from 'node:zlib'
import type { Deflated } from '../../../gzip/deflated.ts'
import { type PackSection, sectionsIn } from './pack-sections.ts'
import { ProvenanceColumns } from './provenance-columns.ts'
import { readEach, readSteps, VarintReader } from './varints.ts'
import { columnForms } from './write-columns.ts'

/**
 * What a pack tells of each of its records without inflating them. An entry is a number from 0: first the lines in their order. Each
 * column is read when it is asked for.
 */
export class PackColumns {
  readonly count: number
  readonly #lengthBytes: Buffer
  readonly #updatedBytes: Buffer
  readonly #listBytes: Buffer
  readonly #sharedBytes: Buffer
  readonly #sectionBytes: Buffer
  readonly #provenances: ProvenanceColumns | undefined
  #lengths: Uint32Array | undefined
  #updated: Float64Array | undefined
  #lists: Lists | undefined
  #sharedIds: readonly string[] | undefined

  /** @param isOfProvenances whether the pack is one of Provenances: then there are more columns */
  constructor(bytes: Buffer, isOfProvenances: boolean) {
    const content = bytes.subarray(1)
    const read = new VarintReader(bytes[0] === columnForms.deflated ? inflateRawSync(content) : content)
    this.count = read.next()
    this.#lengthBytes = read.nextBytes()
    this.#updatedBytes = read.nextBytes()
    this.#listBytes = read.nextBytes()
    this.#sharedBytes = read.nextBytes()
    this.#sectionBytes = read.nextBytes()
    this.#provenances = isOfProvenances ? new ProvenanceColumns(read, this.count) : undefined
  }

  /** Bytes of a line with its line feed; 0 for what belongs to other owners too, and is not in the pack. */
  get lengths(): Uint32Array {
    this.#lengths ??= readEach(new VarintReader(this.#lengthBytes), this.count)
    return this.#lengths
  }

  /** meta.lastUpdated, milliseconds since 1970 */
  get updated(): Float64Array {
    this.#updated ??= readSteps(new VarintReader(this.#updatedBytes), this.count)
    return this.#updated
  }

  /** How many entries are lines of the pack; the others have none. */
  get lines(): number {
    return this.count - this.#shared.length
  }

  /** The number of the list of what a record refers to: records with the same list have the same number. */
  listOf(entry: number): number {
    return this.#readLists().numbers[entry]!
  }

  /** The references of a list, by their places in `Pack.refs`. */
  refsOf(list: number): readonly number[] {
    return this.#readLists().refs[list]!
  }

  #readLists(): Lists {
    this.#lists ??= listsIn(new VarintReader(this.#listBytes), this.count)
    return this.#lists
  }

  /** Of an entry that is no line. */
  sharedId(entry: number): string {
    return this.#shared[entry - this.lines]!
  }

  get #shared(): readonly string[] {
    if (this.#sharedIds !== undefined) return this.#sharedIds
    const ids: string[] = []
    const read = new VarintReader(this.#sharedBytes)
    while (!read.isAtEnd) ids.push(read.nextBytes().toString())
    this.#sharedIds = ids
    return ids
  }

  /**
   * The lines of a pack by sections; those of which nothing is told are one.
   * @param pack the one that these are the columns of
   * @throws when it has other lines
   */
  sectionsOf(pack: Deflated): readonly PackSection[] {
    return sectionsIn(new VarintReader(this.#sectionBytes), this, pack)
  }

  /** @throws for other packs than those of Provenances */
  get provenances(): ProvenanceColumns {
    if (this.#provenances === undefined) throw new Error('only packs of Provenances tell of targets')
    return this.#provenances
  }
}

/** By entry the number of its list; the lists. */
interface Lists {
  readonly numbers: Uint32Array
  readonly refs: readonly (readonly number[])[]
}

function listsIn(read: VarintReader, count: number): Lists {
  const numbers = readEach(read, count)
  return { numbers, refs: Array.from({ length: read.next() }, () => [...readEach(read, read.next())]) }
}
