import type { LineSink } from '../../../files/part-writer.ts'
import { inflateSealedLines } from '../../../gzip/deflated.ts'
import { PackColumns } from '../../../records/packs/columns/pack-columns.ts'
import type { PackSection } from '../../../records/packs/columns/pack-sections.ts'
import type { Pack } from '../../../records/packs/pack.ts'
import type { LineTest } from '../line-test.ts'
import { addAmount, type RenderLine, type Selection } from '../selection.ts'
import { type ChosenLines, chosenLines } from './chosen-lines.ts'
import { refusePacks } from './packs-that-serve.ts'
import { writeRendered } from './rendered-lines.ts'

/**
 * A pack of which perhaps not all is exported. A section is inflated when one of its lines is looked at, and its lines are not kept: an owner may have hundreds
 * of megabytes of them, in packs of a few.
 */
export class OpenedPack {
  readonly pack: Pack
  readonly columns: PackColumns
  readonly #selection: Selection

  /** @param pack with records, and read with what tells of each */
  constructor(selection: Selection, pack: Pack) {
    this.#selection = selection
    this.pack = pack
    this.columns = new PackColumns(pack.columns!, pack.type === 'Provenance')
  }

  /** @throws when the pack holds something else: it is dropped, and the next attempt reads the versions */
  async sections(): Promise<readonly PackSection[]> {
    return this.#orRefused(() => this.columns.sectionsOf(this.pack))
  }

  /** Chooses among the lines of a section. Throws as `sections` does. */
  async choose(section: PackSection, isWanted: (entry: number) => boolean, test?: LineTest): Promise<ChosenLines> {
    this.#selection.held.signal.throwIfAborted()
    const lines = await this.#orRefused(() => inflateSealedLines(section.lines))
    const { start, end } = section
    const chosen = chosenLines(
      lines,
      this.columns.lengths.subarray(start, end),
      (entry) => isWanted(start + entry),
      test?.filter,
    )
    return { ...chosen, entries: chosen.entries.map((entry) => start + entry) }
  }

  async #orRefused<Result>(read: () => Result): Promise<Result> {
    try {
      return read()
    } catch (error) {
      await refusePacks(this.#selection, this.pack)
      throw error
    }
  }

  /** Exports all lines of a section as they are, and notes what they refer to. */
  copy(writer: LineSink, { lines, start, end }: PackSection): Promise<void> | undefined {
    this.#selection.referFrom(this.pack, this.columns, numbersFrom(start, end))
    const render = this.#selection.renderOf(this.pack)
    return render ? writeRendered(this.#selection, writer, lines, render) : writer.copy(lines)
  }

  /** Exports chosen lines and notes what they refer to. */
  async write(writer: LineSink, { runs, entries }: ChosenLines, shape: RenderLine | undefined): Promise<void> {
    if (entries.length === 0) return
    this.#selection.referFrom(this.pack, this.columns, entries)
    const render = oneAfterTheOther(shape, this.#selection.renderOf(this.pack))
    if (render === undefined) {
      for (const { lines, records } of runs) addAmount(this.#selection.chosen, { records, bytes: lines.length })
      return writer.writeRuns(runs)
    }
    const { lengths } = this.columns
    let entry = 0
    for (const { lines, records } of runs) {
      const rendered: Buffer[] = []
      let start = 0
      for (const last = entry + records; entry < last; entry++) {
        const end = start + lengths[entries[entry]!]!
        rendered.push(render(lines.subarray(start, end - 1)))
        start = end
      }
      const bytes = rendered.reduce((sum, line) => sum + line.length + 1, 0)
      addAmount(this.#selection.chosen, { records: rendered.length, bytes })
      await writer.writeRecords(rendered)
    }
  }
}

const oneAfterTheOther = (first: RenderLine | undefined, second: RenderLine | undefined): RenderLine | undefined =>
  first && second ? (line) => second(first(line)) : (first ?? second)

function* numbersFrom(start: number, end: number): Generator<number> {
  for (let number = start; number < end; number++) yield number
}
