import { inflateRawSync } from 'node:zlib'
import { VarintReader } from './varints.ts'
import { columnForms } from './write-columns.ts'

/** What a pack tells of each of its records without inflating them. An entry is a number from 0: first the lines in their order. */
export class PackColumns {
  readonly count: number
  /** Bytes of a line with its line feed; 0 for what belongs to other owners too, and is not in the pack. */
  readonly lengths: Uint32Array
  /** meta.lastUpdated, milliseconds since 1970 */
  readonly updated: Float64Array
  readonly #lists: Uint32Array
  readonly #listRefs: readonly (readonly number[])[]
  readonly #provenances: ProvenanceColumns | undefined
  readonly #sharedIds: readonly string[]
  readonly #lines: number

  /** @param isOfProvenances whether the pack is one of Provenances: then there are more columns */
  constructor(bytes: Buffer, isOfProvenances: boolean) {
    const content = bytes.subarray(1)
    const read = new VarintReader(bytes[0] === columnForms.deflated ? inflateRawSync(content) : content)
    this.count = read.next()
    this.lengths = new Uint32Array(this.count)
    for (let entry = 0; entry < this.count; entry++) this.lengths[entry] = read.next()
    this.updated = readSteps(read, this.count)
    this.#lists = new Uint32Array(this.count)
    for (let entry = 0; entry < this.count; entry++) this.#lists[entry] = read.next()
    this.#listRefs = Array.from({ length: read.next() }, () => Array.from({ length: read.next() }, () => read.next()))
    this.#provenances = isOfProvenances ? new ProvenanceColumns(read, this.count) : undefined
    const shared = this.lengths.indexOf(0)
    this.#lines = shared < 0 ? this.count : shared
    this.#sharedIds = Array.from({ length: this.count - this.#lines }, () => read.nextText())
  }

  /** What all lines weigh. */
  get bytes(): number {
    return this.lengths.reduce((sum, length) => sum + length, 0)
  }

  /** How many entries are lines of the pack; the others have none. */
  get lines(): number {
    return this.#lines
  }

  /** The number of the list of what a record refers to: records with the same list have the same number. */
  listOf(entry: number): number {
    return this.#lists[entry]!
  }

  /** The references of a list, by their places in `Pack.refs`. */
  refsOf(list: number): readonly number[] {
    return this.#listRefs[list]!
  }

  /** Of an entry that is no line. */
  sharedId(entry: number): string {
    return this.#sharedIds[entry - this.#lines]!
  }

  /** @throws for other packs than those of Provenances */
  get provenances(): ProvenanceColumns {
    if (this.#provenances === undefined) throw new Error('only packs of Provenances tell of targets')
    return this.#provenances
  }
}

/** What packs tell of Provenances beside. */
export class ProvenanceColumns {
  /** By entry its place among all of the owner in the order of ids. */
  readonly ranks: Float64Array
  /** Milliseconds since 1970, -Infinity when it is not known. */
  readonly recorded: Float64Array
  /** By entry the place of the types of its targets in `Pack.targets`. */
  readonly typeSets: Uint32Array
  readonly #sets: Uint32Array
  readonly #texts: string
  #targets: readonly (readonly string[])[] | undefined

  constructor(read: VarintReader, count: number) {
    this.ranks = readSteps(read, count)
    this.recorded = new Float64Array(count)
    for (let entry = 0; entry < count; entry++) this.recorded[entry] = read.next() === 0 ? Number.NEGATIVE_INFINITY : 0
    let before = 0
    for (let entry = 0; entry < count; entry++) {
      if (this.recorded[entry] === 0) this.recorded[entry] = before += read.nextSigned()
    }
    this.typeSets = new Uint32Array(count)
    for (let entry = 0; entry < count; entry++) this.typeSets[entry] = read.next()
    this.#sets = new Uint32Array(count)
    for (let entry = 0; entry < count; entry++) this.#sets[entry] = read.next()
    this.#texts = read.nextText()
  }

  /** The targets of an entry that are there, `Type/id`. */
  targetsOf(entry: number): readonly string[] {
    this.#targets ??= this.#texts.split('\n').map((set) => (set === '' ? [] : set.split(' ')))
    return this.#targets[this.#sets[entry]!]!
  }
}

function readSteps(read: VarintReader, count: number): Float64Array {
  const values = new Float64Array(count)
  let before = 0
  for (let index = 0; index < count; index++) values[index] = before += read.nextSigned()
  return values
}
