import { createHmac, timingSafeEqual } from 'node:crypto'

/** The longest life of a content link. */
export const contentLinkSecondsMax = 300
/** How far the clocks of two servers may differ. */
const clockSecondsMax = 30

/** What a link gives access to: reading one file at one path. */
export interface ContentLink {
  /** The path of the content route, as it is requested. */
  readonly path: string
  readonly fileId: string
}

/** Returns `path?expires=…&signature=…`: whoever holds it may GET or HEAD the file until `expires`, without a token. */
export function signContentLink(link: ContentLink & { readonly secret: Buffer; readonly expires: Date }): string {
  const expires = String(Math.floor(link.expires.getTime() / 1000))
  return `${link.path}?expires=${expires}&signature=${signatureOf(link, expires)}`
}

/**
 * Checks a request that came by a link; `expires` and `signature` are the query parameters as received.
 * `forged` covers every request that was not signed so, and a life longer than allowed.
 */
export function verifyContentLink(
  request: ContentLink & {
    readonly secret: Buffer
    readonly method: string
    readonly expires: unknown
    readonly signature: unknown
    readonly now: Date
  },
): 'valid' | 'expired' | 'forged' {
  const { method, expires, signature } = request
  if (method !== 'GET' && method !== 'HEAD') return 'forged'
  if (typeof expires !== 'string' || !/^[0-9]{1,12}$/.test(expires) || typeof signature !== 'string') return 'forged'
  const given = Buffer.from(signature)
  const expected = Buffer.from(signatureOf(request, expires))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged'
  const secondsLeft = Number(expires) - request.now.getTime() / 1000
  if (secondsLeft > contentLinkSecondsMax + clockSecondsMax) return 'forged'
  return secondsLeft > 0 ? 'valid' : 'expired'
}

const signatureOf = ({ secret, path, fileId }: ContentLink & { readonly secret: Buffer }, expires: string): string =>
  createHmac('sha256', secret)
    .update(JSON.stringify(['GET', path, fileId, expires]))
    .digest('base64url')
