import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
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

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `client`: the route finds out who calls, and counts for itself. `nobody`: not counted. Otherwise the address is. */
    readonly countedBy?: 'client' | 'nobody'
  }
}

/** Counts one more request. @returns the seconds to wait when it is one too many */
type Count = (request: FastifyRequest, key: string) => Promise<number | undefined>

/** Who asks too often. */
export interface RateLimits {
  readonly client: Count
  readonly address: (request: FastifyRequest) => Promise<number | undefined>
  readonly poll: Count
}

/** Sets up the counting, and refuses requests to open routes and unknown paths when their address asks too often. */
export function limitRates(app: FastifyInstance, rates: Rates): RateLimits {
  app.register(rateLimit, { global: false })
  const limits: RateLimits = {
    client: counter(app, rates.client, windowMs),
    poll: counter(app, rates.poll, pollWindowMs),
    address: addressCounter(app, rates.address),
  }
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.countedBy !== undefined) return
    const seconds = await limits.address(request)
    if (seconds !== undefined) return sendThrottled(reply, seconds, profiles.millennium)
  })
  return limits
}

/** 429 `throttled` with `Retry-After`. */
export function sendThrottled(reply: FastifyReply, seconds: number, profile: Profile): FastifyReply {
  const found = problem(429, 'throttled', 'Too many requests. Ask again later.', {
    diagnostics: `Ask again in ${seconds} s.`,
  })
  return sendProblems(reply.header('Retry-After', seconds), [found], profile)
}

type Limiter = ReturnType<FastifyInstance['createRateLimit']>

function counter(app: FastifyInstance, rate: number | undefined, timeWindow: number): Count {
  const keys = new WeakMap<FastifyRequest, string>()
  const limiter = whenLoaded(app, rate, { timeWindow, keyGenerator: (request) => keys.get(request) ?? '' })
  return (request, key) => {
    keys.set(request, key)
    return limiter(request)
  }
}

function addressCounter(app: FastifyInstance, rate: number | undefined): RateLimits['address'] {
  return whenLoaded(app, rate, { timeWindow: windowMs })
}

/** The library can make a limiter when its plugin is loaded, which is before the first request. */
function whenLoaded(
  app: FastifyInstance,
  rate: number | undefined,
  options: { timeWindow: number; keyGenerator?: (request: FastifyRequest) => string },
): (request: FastifyRequest) => Promise<number | undefined> {
  if (rate === undefined) return async () => undefined
  let limiter: Limiter | undefined
  app.after(() => {
    const bounds = { max: Math.ceil((rate * options.timeWindow) / 1000), cache: countedMax }
    limiter = app.createRateLimit({ ...options, ...bounds })
  })
  return async (request) => {
    const counted = await limiter!(request)
    return counted.isAllowed || !counted.isExceeded ? undefined : Math.max(1, counted.ttlInSeconds)
  }
}
