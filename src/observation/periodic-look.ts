/** What is asked about exports is asked no more often than this, however many look: anybody may. */
export const lookedMs = 5_000
/** How long a look is waited for. */
export const lookWaitMsMax = 1_000

/**
 * Looks at what may hang: a table that is locked, a mount that does not answer. One look is under way at a time, since each may hold a
 * connection or a thread, and it is waited for `lookWaitMsMax` from its beginning; who asks later is told what was found last.
 */
export class PeriodicLook<Found> {
  readonly #look: () => Promise<Found>
  readonly #first: Found
  readonly #elapsed: () => number
  readonly #overdue: Found | undefined
  #last: Found
  #began = Number.NEGATIVE_INFINITY
  #looking = false
  #waited: Promise<void> = Promise.resolve()

  /**
   * @param first told before anything is found, and of what cannot be asked
   * @param overdue told of a look that has been under way for `lookedMs`; without, what was found last
   */
  constructor(look: () => Promise<Found>, first: Found, elapsed: () => number, overdue?: Found) {
    this.#look = look
    this.#first = first
    this.#last = first
    this.#elapsed = elapsed
    this.#overdue = overdue
  }

  async tell(): Promise<Found> {
    const isDue = this.#elapsed() - this.#began >= lookedMs
    if (isDue && this.#looking) return this.#overdue ?? this.#last
    if (isDue) this.#begin()
    await this.#waited
    return this.#last
  }

  #begin(): void {
    this.#began = this.#elapsed()
    this.#looking = true
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, lookWaitMsMax)
    void this.#look()
      .catch(() => this.#first)
      .then((found) => {
        this.#last = found
        this.#looking = false
        clearTimeout(timer)
        resolve()
      })
    this.#waited = promise
  }
}
