import type { FastifyBaseLogger } from 'fastify'

/** Lines of one message that are written whole in each time; the rest of them is counted. */
export const sparseLinesMax = 10
export const sparseMs = 10_000

/**
 * Logs what strangers cause as often as they like: the first few lines of each time are kept whole, and at its end one line tells how many
 * more there were of each kind (`leftOut`). Kinds are the caller's own words, never the stranger's, so that there are few.
 */
export class SparseLog {
  readonly #log: FastifyBaseLogger
  readonly #level: 'info' | 'warn'
  readonly #message: string
  readonly #leftOut = new Map<string, number>()
  #lines = 0
  #timer: NodeJS.Timeout | undefined

  constructor(log: FastifyBaseLogger, level: 'info' | 'warn', message: string) {
    this.#log = log
    this.#level = level
    this.#message = message
  }

  line(kind: string, fields: Readonly<Record<string, unknown>>): void {
    this.#timer ??= setTimeout(() => this.close(), sparseMs).unref()
    this.#lines += 1
    if (this.#lines <= sparseLinesMax) this.#log[this.#level](fields, this.#message)
    else this.#leftOut.set(kind, (this.#leftOut.get(kind) ?? 0) + 1)
  }

  /** Tells what was left out until now, and begins anew. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#lines = 0
    if (this.#leftOut.size > 0) this.#log[this.#level]({ leftOut: Object.fromEntries(this.#leftOut) }, this.#message)
    this.#leftOut.clear()
  }
}
