import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { ClientKeys } from '../registry/client.ts'
import { fitsAlgorithm, keyWeakness, type SignatureAlgorithm } from '../signature-algorithm.ts'
import { type FetchedKeys, fetchKeySet } from './key-set-fetch.ts'
import type { OutboundRules } from './outbound.ts'

/** Least time between two fetches that only an unknown kid asks for. */
const forcedFetchMsMin = 60_000
/** Least time between a failed fetch and the next one. */
const failedFetchMsMin = 5_000
const entriesMax = 1_000

/** The header members of an assertion or token that choose the key. */
export interface KeyHint {
  readonly alg: SignatureAlgorithm
  readonly kid: string
  readonly jku: unknown
}

/** Why no key was found. `unavailable`: the key set could not be fetched. */
interface NoKey {
  readonly reason: string
  readonly unavailable?: boolean
}

interface Entry {
  fetched: (FetchedKeys & { readonly at: number }) | undefined
  forcedAt: number
  failedAt: number
  pending: Promise<string | undefined> | undefined
}

/** Finds the key of a client's assertion, or of another issuer's token (B11). Key sets behind URLs are cached as their servers allow (B12). */
export class KeySets {
  readonly #entries = new Map<string, Entry>()
  readonly #elapsed: () => number
  readonly #rules: OutboundRules

  constructor(elapsed: () => number, rules: OutboundRules) {
    this.#elapsed = elapsed
    this.#rules = rules
  }

  /** The one key that fits the header, or why there is none. */
  async find(source: ClientKeys, hint: KeyHint): Promise<{ readonly key: CryptoKey } | NoKey> {
    if (hint.jku !== undefined && (source.kind !== 'url' || hint.jku !== source.url)) {
      return { reason: 'jku is not the registered key set URL' }
    }
    const keys = source.kind === 'inline' ? source.keys : await this.#published(source.url, hint)
    if (typeof keys === 'string') return { reason: keys, unavailable: true }
    const candidates = matching(keys, hint)
    if (candidates.length === 0) return { reason: 'no registered key has this kid and fits alg' }
    if (candidates.length > 1) return { reason: 'several registered keys have this kid' }
    return importKey(candidates[0]!, hint.alg)
  }

  async #published(url: string, hint: KeyHint): Promise<readonly JWK[] | string> {
    const entry = this.#entryOf(url)
    const now = this.#elapsed()
    const { fetched } = entry
    const fresh = fetched !== undefined && now - fetched.at < fetched.freshMs
    if (fresh) {
      if (matching(fetched.keys, hint).length > 0) return fetched.keys
      if (!entry.pending && now - entry.forcedAt < forcedFetchMsMin) return fetched.keys
      if (!entry.pending) entry.forcedAt = now
    } else if (!entry.pending && now - entry.failedAt < failedFetchMsMin) {
      return 'the registered key set could not be fetched'
    }
    entry.pending ??= this.#refresh(url, entry).finally(() => {
      entry.pending = undefined
    })
    const failure = await entry.pending
    if (failure !== undefined) return failure
    return entry.fetched!.keys
  }

  /** Fetches into the entry. Keys that are still fresh stay when the fetch fails. */
  async #refresh(url: string, entry: Entry): Promise<string | undefined> {
    const at = this.#elapsed()
    try {
      entry.fetched = { ...(await fetchKeySet(url, this.#rules)), at }
      return undefined
    } catch (error) {
      entry.failedAt = at
      return `the registered key set could not be fetched: ${(error as Error).message}`
    }
  }

  #entryOf(url: string): Entry {
    const known = this.#entries.get(url)
    if (known) return known
    const entry: Entry = { fetched: undefined, forcedAt: -Infinity, failedAt: -Infinity, pending: undefined }
    this.#entries.set(url, entry)
    if (this.#entries.size > entriesMax) this.#entries.delete(this.#entries.keys().next().value!)
    return entry
  }
}

const matching = (keys: readonly JWK[], { kid, alg }: KeyHint): readonly JWK[] =>
  keys.filter((key) => key.kid === kid && fitsAlgorithm(key, alg))

async function importKey(jwk: JWK, algorithm: SignatureAlgorithm): Promise<{ readonly key: CryptoKey } | NoKey> {
  try {
    const key = await importJWK(jwk, algorithm)
    if (key instanceof Uint8Array || key.type !== 'public') return { reason: 'the registered key is not a public key' }
    const weakness = keyWeakness(key)
    return weakness === undefined ? { key } : { reason: `the registered key cannot be used: ${weakness}` }
  } catch {
    return { reason: 'the registered key cannot be used' }
  }
}
