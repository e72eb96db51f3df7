/** How many may come: `burst` at once, and `perSecond` in the long run. At most `keysMax` callers are remembered. */
export interface RateBounds {
  readonly burst: number
  readonly perSecond: number
  readonly keysMax: number
}

/**
 * Counts the attempts of callers by a key, in memory that does not grow: one number for each of the `keysMax` callers
 * that came last. It is the generic cell rate algorithm: the number is the time at which the caller's attempts are
 * all paid for.
 */
export class RateLimit {
  readonly #paidAt = new Map<string, number>()
  readonly #bounds: RateBounds
  readonly #elapsed: () => number

  /** `elapsed`: milliseconds of a clock that nobody sets, so that setting the machine's neither locks anybody out nor lets anybody in. */
  constructor(bounds: RateBounds, elapsed: () => number) {
    this.#bounds = bounds
    this.#elapsed = elapsed
  }

  /** Callers that are remembered. */
  get size(): number {
    return this.#paidAt.size
  }

  /** Counts an attempt. Returns 0, or after how many whole seconds the next one is welcome; then this one is not counted. */
  take(key: string): number {
    const { burst, perSecond, keysMax } = this.#bounds
    const now = this.#elapsed()
    const price = 1000 / perSecond
    const owed = Math.max((this.#paidAt.get(key) ?? now) - now, 0)
    if (owed > (burst - 1) * price) return Math.max(1, Math.ceil((owed - (burst - 1) * price) / 1000))
    this.#remember(key, now + owed + price)
    if (this.#paidAt.size > keysMax) this.#paidAt.delete(this.#paidAt.keys().next().value!)
    return 0
  }

  /** Takes back an attempt that was none. */
  giveBack(key: string): void {
    const paidAt = this.#paidAt.get(key)
    if (paidAt !== undefined) this.#remember(key, paidAt - 1000 / this.#bounds.perSecond)
  }

  #remember(key: string, paidAt: number): void {
    this.#paidAt.delete(key)
    this.#paidAt.set(key, paidAt)
  }
}
