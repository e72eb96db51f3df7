import type { LineRun } from '../../../files/part-writer.ts'
import type { Filter } from '../../../filter/compile.ts'

/** Those of a pack's lines that are wanted. */
export interface ChosenLines {
  /** Neighbours stand together. */
  readonly runs: readonly LineRun[]
  /** Their numbers among all lines. */
  readonly entries: readonly number[]
}

/**
 * Chooses lines where they are: most stand in one buffer by the dozen, and few are wanted.
 * @param lengths of the lines, each with its line feed
 * @param isWanted asks for a line by its number
 * @param filter asks for it by what it says; its `next` leaps over lines that do not pass
 */
export function chosenLines(
  lines: Buffer,
  lengths: Uint32Array,
  isWanted: (entry: number) => boolean,
  filter?: Pick<Filter, 'next' | 'passes'>,
): ChosenLines {
  const runs = new Runs(lines)
  const entries: number[] = []
  let [entry, start] = [0, 0]
  const next = (from: number) => (filter ? filter.next(lines, from) : from)
  for (let at = next(0); at < lines.length; at = next(start)) {
    while (start < at) start += lengths[entry++]!
    const end = start + lengths[entry]!
    if (isWanted(entry) && (!filter || filter.passes(lines, start, end - 1))) {
      entries.push(entry)
      runs.add(start, end)
    }
    start = end
    entry++
  }
  return { runs: runs.finish(), entries }
}

/** Puts neighbours together. */
class Runs {
  readonly #lines: Buffer
  readonly #runs: LineRun[] = []
  #start = 0
  #end = 0
  #records = 0

  constructor(lines: Buffer) {
    this.#lines = lines
  }

  add(start: number, end: number): void {
    if (start !== this.#end) {
      this.#close()
      this.#start = start
    }
    this.#end = end
    this.#records++
  }

  finish(): readonly LineRun[] {
    this.#close()
    return this.#runs
  }

  #close(): void {
    if (this.#records > 0)
      this.#runs.push({ lines: this.#lines.subarray(this.#start, this.#end), records: this.#records })
    this.#records = 0
  }
}
