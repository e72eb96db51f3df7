import { networkOf } from './network-of.ts'

/** Wrong credentials that one address may send within the window; then more of them are refused until the window is over. */
export const guessesMax = 10
export const guessWindowMs = 60_000
/** Addresses that are remembered. When there are more, the one that began longest ago is forgotten. */
export const guessersMax = 10_000

/** Counts wrong credentials by address, in bounded memory. */
export class GuessLimit {
  readonly #elapsed: () => number
  readonly #windows = new Map<string, { readonly since: number; count: number }>()

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Milliseconds until the address may try again; 0 when it may. */
  waitMs(address: string): number {
    const window = this.#current(networkOf(address))
    return window === undefined || window.count < guessesMax ? 0 : window.since + guessWindowMs - this.#elapsed()
  }

  wrong(address: string): void {
    const network = networkOf(address)
    const window = this.#current(network)
    if (window) window.count++
    else this.#windows.set(network, { since: this.#elapsed(), count: 1 })
    if (this.#windows.size > guessersMax) this.#windows.delete(this.#windows.keys().next().value!)
  }

  #current(network: string) {
    const window = this.#windows.get(network)
    if (window === undefined) return undefined
    if (this.#elapsed() - window.since < guessWindowMs) return window
    this.#windows.delete(network)
    return undefined
  }
}
