import { addPolls, type Bench, patientsOf } from '../bench.ts'
import { type Share, shares, type Warmth } from '../catalogue.ts'
import { unpack } from '../packs.ts'

/** Exports of each share of the patients in a round: those of packs are short, so one alone tells little. */
const exportsPerRound: Readonly<Record<Warmth, number>> = { warm: 3, cold: 1 }

/** Exports of everything that a server makes before those that count: the first ones run code that has not been compiled yet. */
const warmUps = 5

/** Exports without a filter, of every type. */
export class WholeExports {
  readonly #records = new Map<Share, number>()

  /** Lets the server make exports of packs that do not count. */
  async warmUp({ caller, dataset }: Bench): Promise<void> {
    for (let count = 0; count < warmUps; count++) await caller.export({ patients: patientsOf(dataset, 100) })
  }

  /** A cold store has no packs; a warm one has been packed before. Throws when two exports of the same patients differ. */
  async measure(bench: Bench, warmth: Warmth): Promise<void> {
    for (const share of shares) {
      for (let count = 0; count < exportsPerRound[warmth]; count++) await this.#measureShare(bench, warmth, share)
    }
  }

  async #measureShare(bench: Bench, warmth: Warmth, share: Share): Promise<void> {
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
