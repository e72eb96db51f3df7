const MiB = 1024 * 1024

/** How many bytes of bodies and answers may be in memory at a time; each is counted from before it comes until it has left. */
export interface ByteBounds {
  /** Of all requests together. */
  readonly allBytesMax: number
  /** Of all of them, what large ones may have: the rest is left to small ones, so that polls and tokens are served beside them. */
  readonly largeOfAllBytesMax: number
  /** Of that, so much is left for each further tenant until this many tenants have large requests. */
  readonly leftForTenantBytes: number
  readonly tenantsMin: number
  readonly ofTenantBytesMax: number
  readonly ofClientBytesMax: number
  /** Of one address, an IPv4 address or an IPv6 /64, for all callers that nobody knows. */
  readonly ofAddressBytesMax: number
  /** What one request may have at a time to be a small one. */
  readonly smallBytesMax: number
}

/**
 * A client can always send the largest body and get the largest answer to it at the same time. Beside one that takes all it can there is
 * room for the largest body of another, and beside a tenant, and beside two, for that of another tenant. While a record is written it is in memory about
 * three times, and all together must not double what an idle server takes.
 */
export const byteBounds: ByteBounds = {
  allBytesMax: 96 * MiB,
  largeOfAllBytesMax: 82 * MiB,
  leftForTenantBytes: 16 * MiB,
  tenantsMin: 3,
  ofTenantBytesMax: 50 * MiB,
  ofClientBytesMax: 34 * MiB,
  ofAddressBytesMax: 8 * MiB,
  smallBytesMax: 64 * 1024,
}
