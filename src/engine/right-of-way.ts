/**
 * How long the rest stands still at most for work that has the right of way. As much time as was given has to pass before it is given
 * again: whoever asks for small exports all the time gets half of it.
 */
export const wayMsMax = 1_000

/** A piece of work of an engine. */
export interface Work {
  readonly tenant: string
  /** Nothing else of its tenant was at work when it was taken. */
  readonly alone: boolean
}

/**
 * Which of the pieces of work of one engine goes on while the rest waits: what was taken last of a tenant of whom nothing was at work. It
 * shares its thread, the cores and the database with the large partitions of others, and would take as many times longer as there are of
 * them.
 */
export class RightOfWay {
  readonly #elapsed: () => number
  /** In the order in which they were taken. */
  readonly #atWork = new Set<Work>()
  #changed = Promise.withResolvers<void>()
  #waiting = 0
  /** What may still be given, as of a time; it grows while nobody waits. */
  #leftMs = wayMsMax
  #asOf: number

  /** @param elapsed milliseconds of a clock that nobody sets */
  constructor(elapsed = () => performance.now()) {
    this.#elapsed = elapsed
    this.#asOf = elapsed()
  }

  begin(work: Work): void {
    this.#atWork.add(work)
  }

  end(work: Work): void {
    this.#atWork.delete(work)
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /** Between two pieces of what a work reads: waits while another one has the right of way. Undefined: it may go on at once. */
  giveWay(work: Work): Promise<void> | undefined {
    return this.#mustWait(work) ? this.#wait(work) : undefined
  }

  async #wait(work: Work): Promise<void> {
    this.#waiting++
    try {
      while (this.#mustWait(work)) await this.#changeWithin(this.#leftMs)
    } finally {
      this.#count()
      this.#waiting--
    }
  }

  #mustWait(work: Work): boolean {
    const first = [...this.#atWork].findLast(({ alone }) => alone)
    if (first === undefined || first.tenant === work.tenant || !this.#isBefore(work, first)) return false
    this.#count()
    return this.#leftMs > 0
  }

  #isBefore(one: Work, other: Work): boolean {
    for (const work of this.#atWork) if (work === one || work === other) return work === one
    return false
  }

  #count(): void {
    const now = this.#elapsed()
    const passed = now - this.#asOf
    this.#leftMs = Math.max(0, Math.min(wayMsMax, this.#leftMs + (this.#waiting > 0 ? -passed : passed)))
    this.#asOf = now
  }

  async #changeWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.ceil(ms))
    })
    await Promise.race([this.#changed.promise, late])
    clearTimeout(timer)
  }
}
