import type { JWK } from 'jose'
import { keysOf } from './client-key-set.ts'

/** Time for one fetch of a key set, body included. */
const fetchMsMax = 5_000
/** Size of a fetched key set. */
export const keySetBytesMax = 256 * 1024
/** How long keys are kept when the answer does not say. */
const unstatedMsMax = 60_000
/** How long keys are kept, whatever the answer allows. */
const cachedMsMax = 3_600_000

/** Keys as fetched, and for how long they may be used again (B12). */
export interface FetchedKeys {
  readonly keys: readonly JWK[]
  readonly freshMs: number
}

/**
 * Fetches a client's key set: no redirects, bounded in time and size.
 * @throws Error when there is no key set at that URL; the message says why.
 */
export async function fetchKeySet(url: string): Promise<FetchedKeys> {
  const signal = AbortSignal.timeout(fetchMsMax)
  const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'error', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`status ${response.status}`)
  }
  const keys = keysOf(JSON.parse(await readText(response)))
  if (!keys) throw new Error('not a key set')
  return { keys, freshMs: freshMsOf(response.headers) }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > keySetBytesMax) throw new Error(`more than ${keySetBytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** How long an answer with these headers stays fresh, in milliseconds. */
export function freshMsOf(headers: Headers): number {
  const control = headers.get('cache-control') ?? ''
  if (/(^|[\s,])no-(store|cache)([\s,=]|$)/i.test(control)) return 0
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(control)?.[1]
  if (maxAge === undefined) return unstatedMsMax
  const age = Number(headers.get('age') ?? 0) || 0
  return Math.min(Math.max(Number(maxAge) - age, 0) * 1000, cachedMsMax)
}
