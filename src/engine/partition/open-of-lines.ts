import { referencedRecords } from '../../fhir/ownership.ts'
import type { Pack } from '../../records/packs/pack.ts'
import type { Selection } from './selection.ts'

/** Packs that tell a mark which no passing line of theirs has, before it is looked for no more. */
export const packsInVainMax = 1_000

/**
 * Notes the open references of those lines of packs that pass a filter. A pack tells the marks of all its records: which of them have one
 * is asked of the lines that pass, until it is known once, or has been looked for in vain for long enough.
 */
export class OpenOfLines {
  readonly #selection: Pick<Selection, 'openToNote' | 'noteOpen'>
  readonly #base: string
  /** By mark, the packs in which it was looked for in vain. */
  readonly #inVain = new Map<string, number>()

  /** @param base of the tenant; records may have been written with other bases too, so what is no mark of the pack is not believed */
  constructor(selection: Pick<Selection, 'openToNote' | 'noteOpen'>, base: string) {
    this.#selection = selection
    this.#base = base
  }

  /** @param runs of lines of the pack that pass, each line with its line feed */
  note({ refs }: Pick<Pack, 'refs'>, runs: readonly Buffer[]): void {
    if (runs.length === 0) return
    const isSought = (mark: string) => (this.#inVain.get(mark) ?? 0) < packsInVainMax
    const sought = new Set(this.#selection.openToNote(refs).filter(isSought))
    for (const line of linesOf(runs)) {
      if (sought.size === 0) return
      for (const reference of referencedRecords(JSON.parse(line), [this.#base])) {
        if (sought.delete(reference)) this.#selection.noteOpen(reference)
      }
    }
    for (const mark of sought) this.#inVain.set(mark, (this.#inVain.get(mark) ?? 0) + 1)
  }
}

function* linesOf(runs: readonly Buffer[]): Generator<string> {
  for (const run of runs) {
    for (let start = 0; start < run.length; ) {
      const feed = run.indexOf(lineFeed, start)
      yield run.toString('utf8', start, feed)
      start = feed + 1
    }
  }
}

const lineFeed = 0x0a
