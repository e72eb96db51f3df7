import { type ByteBounds, byteBounds } from './byte-bounds.ts'

/** Who pays for a request: its client, or the network that it comes from while nobody is known. */
export type Payer =
  | { readonly kind: 'client'; readonly tenant: string; readonly client: string }
  | { readonly kind: 'address'; readonly network: string }

/** Whose bytes are too many. */
export type Whose = 'server' | 'tenant' | 'client' | 'address'

/** A request would take more bytes than may be in flight. None of them were taken. */
export class TooManyBytes extends Error {
  readonly whose: Whose
  /** How many there may be. */
  readonly bytesMax: number

  constructor(whose: Whose, bytesMax: number) {
    super('too many bytes in flight')
    this.whose = whose
    this.bytesMax = bytesMax
  }
}

interface Share {
  readonly whose: Whose
  readonly key: string
  readonly bytesMax: number
}

/**
 * Counts the bytes of bodies and answers that are in memory: of all, of each tenant, client and address. Who has too many is refused
 * before memory is taken. What nobody has any more is forgotten.
 */
export class BytesInFlight {
  readonly bounds: ByteBounds
  readonly #all: Share
  readonly #held = new Map<string, number>()
  /** Tenants that have more than a small request. */
  readonly #largeTenants = new Map<string, number>()

  constructor(bounds: ByteBounds = byteBounds) {
    this.bounds = bounds
    this.#all = { whose: 'server', key: '', bytesMax: bounds.allBytesMax }
  }

  /** Bytes of all. */
  get held(): number {
    return this.#held.get('') ?? 0
  }

  /** Those who have bytes: all together, tenants, clients, addresses. */
  get holders(): number {
    return this.#held.size
  }

  open(payer: Payer): HeldBytes {
    return new HeldBytes(this, payer)
  }

  sharesOf(payer: Payer): readonly Share[] {
    const { ofTenantBytesMax, ofClientBytesMax, ofAddressBytesMax } = this.bounds
    if (payer.kind === 'address') {
      return [{ whose: 'address', key: `address ${payer.network}`, bytesMax: ofAddressBytesMax }, this.#all]
    }
    const { tenant, client } = payer
    return [
      { whose: 'client', key: `client ${tenant} ${client}`, bytesMax: ofClientBytesMax },
      { whose: 'tenant', key: `tenant ${tenant}`, bytesMax: ofTenantBytesMax },
      this.#all,
    ]
  }

  /** Refuses so many more bytes if one of the shares has no room for them. */
  check(shares: readonly Share[], bytes: number, isSmall: boolean): void {
    for (const { whose, key, bytesMax } of shares) {
      const max = whose === 'server' && !isSmall ? this.#largeMax(shares) : bytesMax
      if ((this.#held.get(key) ?? 0) + bytes > max) throw new TooManyBytes(whose, max)
    }
  }

  /** @param large whether a request has become large by them (1), or is it no more (-1) */
  add(shares: readonly Share[], bytes: number, large: -1 | 0 | 1): void {
    for (const { whose, key } of shares) {
      const held = (this.#held.get(key) ?? 0) + bytes
      if (held === 0) this.#held.delete(key)
      else this.#held.set(key, held)
      if (whose !== 'tenant' || large === 0) continue
      const requests = (this.#largeTenants.get(key) ?? 0) + large
      if (requests === 0) this.#largeTenants.delete(key)
      else this.#largeTenants.set(key, requests)
    }
  }

  /** What large requests may have while others of these shares take some. Two tenants that conspire leave room for a third one. */
  #largeMax(shares: readonly Share[]): number {
    const { largeOfAllBytesMax, leftForTenantBytes, tenantsMin } = this.bounds
    const isNew = shares.some(({ whose, key }) => whose === 'tenant' && !this.#largeTenants.has(key))
    const lacking = tenantsMin - this.#largeTenants.size - (isNew ? 1 : 0)
    return largeOfAllBytesMax - leftForTenantBytes * Math.max(0, lacking)
  }
}

/** The bytes of one request: its body, then what it reads and its answer. */
export class HeldBytes {
  readonly #all: BytesInFlight
  #shares: readonly Share[]
  #bytes = 0

  constructor(all: BytesInFlight, payer: Payer) {
    this.#all = all
    this.#shares = all.sharesOf(payer)
  }

  get bytes(): number {
    return this.#bytes
  }

  /** It is known who pays. */
  paidBy(payer: Payer): void {
    const bytes = this.#bytes
    this.become(0)
    this.#shares = this.#all.sharesOf(payer)
    this.become(bytes)
  }

  /**
   * Takes more bytes, before there is memory for them.
   * @throws TooManyBytes
   */
  take(bytes: number): void {
    const isSmall = this.#bytes + bytes <= this.#all.bounds.smallBytesMax
    this.#all.check(this.#shares, bytes, isSmall)
    this.become(this.#bytes + bytes)
  }

  /** There are so many now: what is in memory already is counted, whether there is room for it or not. */
  become(bytes: number): void {
    const isLarge = (size: number) => Number(size > this.#all.bounds.smallBytesMax)
    const large = (isLarge(bytes) - isLarge(this.#bytes)) as -1 | 0 | 1
    this.#all.add(this.#shares, bytes - this.#bytes, large)
    this.#bytes = bytes
  }
}
