import { type Intent, TooManyWaiting } from '../fair-queue.ts'
import type { FromThread } from './handed-request.ts'

/** The queue of writes as another thread sees it, which has one write at a time. */
export class DistantQueue {
  readonly #tell: (message: FromThread) => void
  readonly #beforeWaiting: () => void
  #waiting: PromiseWithResolvers<void> | undefined

  /** @param beforeWaiting the request has been read, and only what is to be written is needed from now on */
  constructor(tell: (message: FromThread) => void, beforeWaiting: () => void) {
    this.#tell = tell
    this.#beforeWaiting = beforeWaiting
  }

  /** @throws TooManyWaiting; whatever the work throws */
  async run<Result>({ tenant, client, keys }: Intent, work: () => Promise<Result>): Promise<Result> {
    this.#beforeWaiting()
    this.#waiting = Promise.withResolvers()
    this.#tell({ kind: 'enter', intent: { tenant, client, keys: [...keys] } })
    await this.#waiting.promise
    try {
      return await work()
    } finally {
      this.#tell({ kind: 'leave' })
    }
  }

  told(verdict: 'admitted' | 'refused'): void {
    if (verdict === 'admitted') this.#waiting?.resolve()
    else this.#waiting?.reject(new TooManyWaiting())
  }
}
