import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../access/network-of.ts'
import { problem } from '../protocol/problem.ts'
import { type Profile, profiles } from '../protocol/profile.ts'
import { sendProblems } from './outcome-answer.ts'

/** Requests per second, on average over a window; undefined is no limit. Each server counts for itself. */
export interface Rates {
  /** Of one client, by its tokens and the links of its files. */
  readonly client: number | undefined
  /** Of one address, without a valid token or link; an IPv6 address stands for its /64 network. */
  readonly address: number | undefined
  /** Questions of one client about one job (T-169). */
  readonly poll: number | undefined
}

export const ratesDefault: Rates = { client: 1_000, address: 500, poll: 20 }

/** Long enough that a burst of parallel downloads passes, short enough that nobody waits long. */
const windowMs = 10_000
const pollWindowMs = 1_000

/** Clients, addresses and jobs that are counted at a time; who was seen longest ago is forgotten. */
const countedMax = 10_000

/** So much of it is one more request: what a body has, a Bundle, an export. About as much work as answering one. */
export const oneRequest = { bodyBytes: 32 * 1024, entries: 10, patients: 20 } as const

/** As how many requests it counts what a request brings, beyond the request itself. */
export const costOf = (brought: Partial<Record<keyof typeof oneRequest, number>>): number =>
  Object.entries(oneRequest).reduce(
    (sum, [what, amount]) => sum + Math.floor((brought[what as keyof typeof oneRequest] ?? 0) / amount),
    0,
  )

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `client`: the route finds out who calls, and counts for itself. `nobody`: not counted. Otherwise the address is. */
    readonly countedBy?: 'client' | 'nobody'
  }
}

/** Counts one more request. @returns the seconds to wait when it is one too many */
type Count = (key: string) => number | undefined

/** Who asks too often. */
export interface RateLimits {
  readonly client: Count
  /** Counts what a request brings beyond itself. It is answered all the same; those after it may have to wait. */
  readonly charge: (client: string, cost: number) => void
  readonly address: (request: FastifyRequest) => number | undefined
  readonly poll: Count
}

/**
 * Sets up the counting, and refuses requests to open routes and unknown paths when their address asks too often. `elapsed`: milliseconds of a
 * clock that nobody sets, so that a jump of the machine's neither locks anybody out nor gives anybody more.
 */
export function limitRates(app: FastifyInstance, rates: Rates, elapsed = () => performance.now()): RateLimits {
  const [client, address] = [
    new Windows(rates.client, windowMs, elapsed),
    new Windows(rates.address, windowMs, elapsed),
  ]
  const poll = new Windows(rates.poll, pollWindowMs, elapsed)
  const limits: RateLimits = {
    client: (key) => client.count(key),
    charge: (key, cost) => client.charge(key, cost),
    poll: (key) => poll.count(key),
    address: (request) => address.count(networkOf(request.ip)),
  }
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.countedBy !== undefined) return
    const seconds = limits.address(request)
    if (seconds !== undefined) return sendThrottled(reply, seconds, profiles.millennium)
  })
  return limits
}

/** How long a 429 is kept back. */
export const refusalMs = 250

/** Of those that were asked for at once on one connection, so long from one to the next. */
export const refusalGapMs = 10

/** When refusals may leave, on a clock of milliseconds that nobody sets. */
export class RefusalPace {
  readonly #last = new WeakMap<object, number>()

  /** @returns how long to keep back one more of this connection */
  msOf(connection: object, nowMs: number): number {
    const leaves = Math.max(nowMs + refusalMs, (this.#last.get(connection) ?? 0) + refusalGapMs)
    this.#last.set(connection, leaves)
    return leaves - nowMs
  }
}

/**
 * Keeps answers of 429 back for a moment: whoever asks on, whatever is answered, does so only a few times a second on each connection.
 * Answered at once, one client took a core with nothing but refusals. Who asks without waiting for answers gets them one by one: a hundred,
 * as many as a connection may have, are there before the second has passed that each of them asks to wait at least.
 */
export function slowRefusals(app: FastifyInstance): void {
  const pace = new RefusalPace()
  app.addHook('onSend', async ({ raw }, reply, payload) => {
    if (reply.statusCode === 429) {
      const ms = pace.msOf(raw.socket, performance.now())
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
    return payload
  })
}

/** 429 `throttled` with `Retry-After`. */
export function sendThrottled(reply: FastifyReply, seconds: number, profile: Profile): FastifyReply {
  const found = problem(429, 'throttled', 'Too many requests. Ask again later.', {
    diagnostics: `Ask again in ${seconds} s.`,
  })
  return sendProblems(reply.header('Retry-After', seconds), [found], profile)
}

interface Window {
  readonly since: number
  count: number
}

/**
 * Counts requests by a key, each in windows that begin with its first one. Who has counted for more than a window with its last request waits
 * for another one.
 */
class Windows {
  readonly #max: number
  readonly #ms: number
  readonly #elapsed: () => number
  readonly #windows = new Map<string, Window>()

  constructor(rate: number | undefined, ms: number, elapsed: () => number) {
    this.#max = rate === undefined ? Number.POSITIVE_INFINITY : Math.ceil((rate * ms) / 1000)
    this.#ms = ms
    this.#elapsed = elapsed
  }

  count(key: string): number | undefined {
    if (this.#max === Number.POSITIVE_INFINITY) return undefined
    const window = this.#windowOf(key)
    if (window.count >= this.#max) return Math.max(1, Math.ceil((this.#endOf(window) - this.#elapsed()) / 1000))
    this.#add(window, 1)
    return undefined
  }

  charge(key: string, cost: number): void {
    if (this.#max !== Number.POSITIVE_INFINITY && cost > 0) this.#add(this.#windowOf(key), cost)
  }

  /** Nothing costs more than all that may come in a window: where little may, the large must pass too. */
  #add(window: Window, cost: number): void {
    window.count += Math.min(cost, this.#max)
  }

  #windowOf(key: string): Window {
    const known = this.#windows.get(key)
    const window = known && this.#elapsed() < this.#endOf(known) ? known : { since: this.#elapsed(), count: 0 }
    this.#windows.delete(key)
    this.#windows.set(key, window)
    if (this.#windows.size > countedMax) this.#windows.delete(this.#windows.keys().next().value!)
    return window
  }

  #endOf({ since, count }: Window): number {
    return since + this.#ms * Math.max(1, Math.ceil(count / this.#max))
  }
}
