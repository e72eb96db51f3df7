/**
 * Remembers what a look-up gave, also "nothing", for a short time. A value is never older than `msMax` counted from the
 * start of its look-up, simultaneous look-ups of one key are one, failures are not remembered, and the oldest entry goes
 * when there are more than `entriesMax`. `elapsed` are the milliseconds of a clock that nobody sets: a jump of the machine's neither
 * prolongs a value nor ends it.
 */
export class BriefCache<T> {
  readonly #entries = new Map<string, { readonly since: number; readonly value: Promise<T> }>()
  readonly #bounds: { readonly msMax: number; readonly entriesMax: number; readonly elapsed: () => number }

  constructor(bounds: { readonly msMax: number; readonly entriesMax: number; readonly elapsed: () => number }) {
    this.#bounds = bounds
  }

  get(key: string, load: () => Promise<T>): Promise<T> {
    const now = this.#bounds.elapsed()
    const known = this.#entries.get(key)
    if (known && now - known.since < this.#bounds.msMax) return known.value
    const value = load()
    this.#entries.delete(key)
    this.#entries.set(key, { since: now, value })
    value.catch(() => {
      if (this.#entries.get(key)?.value === value) this.#entries.delete(key)
    })
    if (this.#entries.size > this.#bounds.entriesMax) this.#entries.delete(this.#entries.keys().next().value!)
    return value
  }
}
