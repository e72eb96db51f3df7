import { networkOf } from '../network-of.ts'
import { RateLimit } from '../rate-limit.ts'

/** Failed authentications of one address at the token endpoints. */
export const failuresOfAddress = { burst: 100, perSecond: 1, keysMax: 10_000 } as const
/** Authenticated requests of one client at the token endpoints. */
export const requestsOfClient = { burst: 100, perSecond: 1, keysMax: 10_000 } as const

/**
 * How often the token endpoints may be asked, in one server. An address is charged for what fails: a request is charged when it
 * comes, so that many at once cannot slip through, and gets its charge back when its client is authenticated. A client is
 * charged for its own, authenticated requests only: nobody can lock out another client by using its id.
 */
export class TokenLimits {
  readonly #addresses: RateLimit
  readonly #clients: RateLimit

  constructor(elapsed: () => number) {
    this.#addresses = new RateLimit(failuresOfAddress, elapsed)
    this.#clients = new RateLimit(requestsOfClient, elapsed)
  }

  /** 0, or after how many seconds the address may ask again. */
  admit(address: string): number {
    return this.#addresses.take(networkOf(address))
  }

  /** The request was of this client. 0, or after how many seconds the client may ask again. */
  authenticated(address: string, client: string): number {
    this.succeeded(address)
    return this.#clients.take(client)
  }

  /** The request was not a failure. */
  succeeded(address: string): void {
    this.#addresses.giveBack(networkOf(address))
  }
}
