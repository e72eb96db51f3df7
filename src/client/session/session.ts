import type { IncomingMessage } from 'node:http'
import { Failure } from '../../failure.ts'
import { redirectsMax, tokenMarginMs } from '../limits.ts'
import type { Clock } from './clock.ts'
import { type Headers, type Outgoing, openTransport, type Transport } from './transport.ts'

/** What a token endpoint grants; `expiresIn` is in seconds. */
interface AccessToken {
  readonly accessToken: string
  readonly expiresIn: number
}

/** Asks for a new token. */
export type TokenSource = () => Promise<AccessToken>

/** One request to the server or to a place it points to. */
export interface Call extends Outgoing {
  /**
   * Whether the bearer token goes along: never; on the first request only (a file, whose redirect leads to a pre-signed
   * URL that must not see it, even at the same origin); or as long as redirects stay at the same origin.
   */
  readonly token: 'never' | 'first-hop' | 'same-origin'
}

export interface Answer {
  readonly status: number
  readonly response: IncomingMessage
  /** The URL that gave this answer, after redirects. */
  readonly url: URL
  readonly redirected: boolean
  /** The origin that got no token although the call wanted one, because nobody said to trust it. */
  readonly withheldFrom: string | undefined
}

/** Requests with a bearer token that is renewed in time and shown only to trusted origins. */
export interface Session {
  readonly call: (call: Call) => Promise<Answer>
  /** Trusts the origin of a URL on the same host as the base, unless it would send the token in the clear. */
  readonly trustSameHost: (url: URL) => void
  readonly close: () => void
}

export interface SessionOptions {
  readonly base: URL
  /** Origins besides the base's that may see the token. */
  readonly trustedOrigins: readonly string[]
  /** Undefined for an open server: no request carries a token. */
  readonly token: TokenSource | undefined
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** Opens a session; nothing is sent before the first call. */
export function openSession({ base, trustedOrigins, token, signal, clock }: SessionOptions): Session {
  const transport = openTransport()
  const tokens = token && cachedTokens(token, clock)
  const trusted = new Set([base.origin, ...trustedOrigins])

  async function attempt(call: Call): Promise<Answer & { used: string | undefined }> {
    const mayCarry = tokens !== undefined && call.token !== 'never'
    const used = mayCarry && trusted.has(call.url.origin) ? await tokens.current() : undefined
    const answer = await follow(transport, call, used, signal)
    return { ...answer, used, withheldFrom: mayCarry && used === undefined ? call.url.origin : undefined }
  }

  return {
    async call(call) {
      const answer = await attempt(call)
      if (answer.status !== 401 || answer.redirected || !tokens || answer.used === undefined) return answer
      answer.response.resume()
      tokens.reject(answer.used)
      return attempt(call)
    },
    trustSameHost(url) {
      const downgrade = base.protocol === 'https:' && url.protocol !== 'https:'
      if (url.hostname === base.hostname && !downgrade) trusted.add(url.origin)
    },
    close: transport.close,
  }
}

/** Keeps one token until shortly before it expires; callers that come together share one request. */
function cachedTokens(source: TokenSource, clock: Clock) {
  let cached: { readonly token: string; readonly renewAt: number } | undefined
  let pending: Promise<string> | undefined

  async function renew(): Promise<string> {
    const askedAt = clock.now()
    const { accessToken, expiresIn } = await source()
    const lifeMs = expiresIn * 1000
    cached = { token: accessToken, renewAt: askedAt + Math.max(lifeMs - tokenMarginMs, lifeMs / 2) }
    return accessToken
  }

  return {
    current(): Promise<string> {
      if (cached && clock.now() < cached.renewAt) return Promise.resolve(cached.token)
      pending ??= renew().finally(() => {
        pending = undefined
      })
      return pending
    },
    /** Forgets a token the server refused, unless another caller has already replaced it. */
    reject(token: string): void {
      if (cached?.token === token) cached = undefined
    },
  }
}

async function follow(
  transport: Transport,
  call: Call,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Omit<Answer, 'withheldFrom'>> {
  let url = call.url
  let bearer = token
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const headers: Headers =
      bearer === undefined ? call.headers : { ...call.headers, authorization: `Bearer ${bearer}` }
    const response = await transport.send({ ...call, url, headers }, signal)
    const status = response.statusCode ?? 0
    const target = call.method === 'GET' && isRedirect(status) ? response.headers.location : undefined
    if (target === undefined) return { status, response, url, redirected: hops > 0 }
    response.resume()
    const next = redirectTarget(target, url)
    if (call.token !== 'same-origin' || next.origin !== url.origin) bearer = undefined
    url = next
  }
  throw new Failure(
    `${call.url.origin} answered with more than ${redirectsMax} redirects.`,
    'Ask the operator of the server to look at the address of this request.',
  )
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status)

function redirectTarget(location: string, from: URL): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol)) {
    throw new Failure(
      `${from.origin} redirects to something that is no web address.`,
      'Ask the operator of the server.',
    )
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new Failure(
      `${from.origin} redirects from https to http.`,
      'Records must not cross the network in the clear: ask the operator of the server.',
    )
  }
  return target
}
