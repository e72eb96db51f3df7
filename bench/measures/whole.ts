import { addPolls, type Bench, patientsOf } from '../bench.ts'
import { type Share, shares, type Warmth } from '../catalogue.ts'
import { unpack } from '../packs.ts'

/** Exports without a filter, of every type. */
export class WholeExports {
  readonly #records = new Map<Share, number>()

  /** A cold store has no packs; a warm one has been packed before. Throws when two exports of the same patients differ. */
  async measure(bench: Bench, warmth: Warmth): Promise<void> {
    for (const share of shares) {
      if (warmth === 'cold') await unpack(bench.store)
      const found = await bench.caller.export({ patients: patientsOf(bench.dataset, share) })
      const { records, seconds } = found
      const before = this.#records.get(share) ?? records
      if (records !== before) throw new Error(`${share} % of the patients gave ${records} records, then ${before}`)
      this.#records.set(share, records)
      bench.book.add(`${warmth}-${share}`, records / seconds)
      addPolls(bench, share, found)
    }
  }
}
