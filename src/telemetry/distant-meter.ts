import type { Labels, Meter, Sample } from './meter.ts'
import type { CounterName, HistogramName } from './metrics/metrics-table.ts'

/** How often a thread tells what it has measured. */
const tellMs = 1_000
/** Observations that wait to be told: with one more they are told at once. */
export const observationsMax = 1_000

/** What a thread has measured since it told last, as plain data. */
export interface Measured {
  readonly counts: readonly { readonly name: CounterName; readonly labels: Labels; readonly amount: number }[]
  readonly observations: readonly {
    readonly name: HistogramName
    readonly labels: Labels
    readonly value: number
  }[]
  /** Figures as they are now. */
  readonly levels: readonly Sample[]
}

/**
 * Measures on a thread that has no page of its own: what happens is gathered, and told to the main thread, which adds it up for all
 * (docs/decisions/0054). What a thread that dies had not told is lost.
 */
export class DistantMeter implements Meter {
  readonly #tell: (measured: Measured) => void
  readonly #levels: () => readonly Sample[]
  readonly #counts = new Map<string, Measured['counts'][number]>()
  #observations: Measured['observations'][number][] = []
  readonly #timer: NodeJS.Timeout

  /** @param levels asked for each time something is told */
  constructor(tell: (measured: Measured) => void, levels: () => readonly Sample[] = () => []) {
    this.#tell = tell
    this.#levels = levels
    this.#timer = setInterval(() => this.tell(), tellMs).unref()
  }

  readonly count = (name: CounterName, labels: Labels = {}, amount = 1): void => {
    const key = JSON.stringify([name, labels])
    const before = this.#counts.get(key)?.amount ?? 0
    this.#counts.set(key, { name, labels, amount: before + amount })
  }

  readonly observe = (name: HistogramName, value: number, labels: Labels = {}): void => {
    this.#observations.push({ name, labels, value })
    if (this.#observations.length > observationsMax) this.tell()
  }

  /** Tells what there is now. */
  tell(): void {
    const [counts, observations, levels] = [[...this.#counts.values()], this.#observations, this.#levels()]
    if (counts.length + observations.length + levels.length === 0) return
    this.#counts.clear()
    this.#observations = []
    this.#tell({ counts, observations, levels })
  }

  /** Tells what is left. */
  stop(): void {
    clearInterval(this.#timer)
    this.tell()
  }
}

/** Adds what another thread has measured to what is measured here. */
export function addMeasured(meter: Meter, { counts, observations }: Measured): void {
  for (const { name, labels, amount } of counts) meter.count(name, labels, amount)
  for (const { name, labels, value } of observations) meter.observe(name, value, labels)
}
