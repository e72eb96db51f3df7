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

  /** @param lines of the pack, those that pass */
  note({ refs }: Pick<Pack, 'refs'>, lines: readonly Buffer[]): void {
    if (lines.length === 0) return
    const isSought = (mark: string) => (this.#inVain.get(mark) ?? 0) < packsInVainMax
    const sought = new Set(this.#selection.openToNote(refs).filter(isSought))
    for (const line of lines) {
      if (sought.size === 0) return
      for (const reference of referencedRecords(JSON.parse(line.toString('utf8')), [this.#base])) {
        if (sought.delete(reference)) this.#selection.noteOpen(reference)
      }
    }
    for (const mark of sought) this.#inVain.set(mark, (this.#inVain.get(mark) ?? 0) + 1)
  }
}
