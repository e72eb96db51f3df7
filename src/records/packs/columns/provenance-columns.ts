import { readEach, readSteps, VarintReader } from './varints.ts'

/** What packs tell of Provenances beside. */
export class ProvenanceColumns {
  readonly #count: number
  readonly #typeSetBytes: Buffer
  readonly #rankBytes: Buffer
  readonly #recordedBytes: Buffer
  readonly #targetBytes: Buffer
  #typeSets: Uint32Array | undefined
  #ranks: Float64Array | undefined
  #recorded: Float64Array | undefined
  #targets: Targets | undefined

  constructor(read: VarintReader, count: number) {
    this.#count = count
    this.#typeSetBytes = read.nextBytes()
    this.#rankBytes = read.nextBytes()
    this.#recordedBytes = read.nextBytes()
    this.#targetBytes = read.nextBytes()
  }

  /** By entry the place of the types of its targets in `Pack.targets`. */
  get typeSets(): Uint32Array {
    this.#typeSets ??= readEach(new VarintReader(this.#typeSetBytes), this.#count)
    return this.#typeSets
  }

  /** By entry its place among all of the owner in the order of ids. */
  get ranks(): Float64Array {
    this.#ranks ??= readSteps(new VarintReader(this.#rankBytes), this.#count)
    return this.#ranks
  }

  /** Milliseconds since 1970, -Infinity when it is not known. */
  get recorded(): Float64Array {
    this.#recorded ??= recordedIn(new VarintReader(this.#recordedBytes), this.#count)
    return this.#recorded
  }

  /** The targets of an entry that are there, `Type/id`. */
  targetsOf(entry: number): readonly string[] {
    this.#targets ??= targetsIn(new VarintReader(this.#targetBytes), this.#count)
    const { numbers, ends, texts } = this.#targets
    const number = numbers[entry]!
    const start = number === 0 ? 0 : ends[number - 1]!
    return start === ends[number]! ? [] : texts.toString('latin1', start, ends[number]!).split(' ')
  }
}

function recordedIn(read: VarintReader, count: number): Float64Array {
  const isKnown = readEach(read, count)
  const known = readSteps(
    read,
    isKnown.reduce((sum, one) => sum + one, 0),
  )
  let next = 0
  return Float64Array.from(isKnown, (one) => (one === 1 ? known[next++]! : Number.NEGATIVE_INFINITY))
}

/** By entry the number of its set; the sets, blank-separated in ASCII, and where each ends. Few of them become texts. */
interface Targets {
  readonly numbers: Uint32Array
  readonly ends: Float64Array
  readonly texts: Buffer
}

function targetsIn(read: VarintReader, count: number): Targets {
  const numbers = readEach(read, count)
  return { numbers, ends: readSteps(read, read.next()), texts: read.nextBytes() }
}
