import { addMeasured, type Measured } from './distant-meter.ts'
import type { Meter, Sample } from './meter.ts'

/** What a thread told longer ago is not how it is now: it is left out, and not shown frozen. */
export const levelMsMax = 5_000

/** Adds up what other threads measure: their counts for ever, their levels as they told them last, until these are old or their thread ends. */
export class ThreadMeasures {
  readonly #meter: Meter
  readonly #elapsed: () => number
  readonly #levels = new Map<object, { readonly at: number; readonly levels: readonly Sample[] }>()

  constructor(meter: Meter, elapsed: () => number) {
    this.#meter = meter
    this.#elapsed = elapsed
  }

  add(thread: object, measured: Measured): void {
    addMeasured(this.#meter, measured)
    this.#levels.set(thread, { at: this.#elapsed(), levels: measured.levels })
  }

  forget(thread: object): void {
    this.#levels.delete(thread)
  }

  /** The sums of levels over all threads. */
  samples(): Sample[] {
    const sums = new Map<string, Sample>()
    for (const { at, levels } of this.#levels.values()) {
      if (this.#elapsed() - at > levelMsMax) continue
      for (const level of levels) {
        const key = JSON.stringify([level.name, level.labels])
        sums.set(key, { ...level, value: level.value + (sums.get(key)?.value ?? 0) })
      }
    }
    return [...sums.values()]
  }
}
