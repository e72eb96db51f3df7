import type { IncomingHttpHeaders } from 'node:http'
import type { JWK } from 'jose'
import { keysOf } from '../registry/client-key-set.ts'
import { askForJson, type OutboundRules } from './outbound.ts'

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
 * Fetches a key set.
 * @throws Error when there is no key set at that URL; the message says why.
 */
export async function fetchKeySet(url: string, rules: OutboundRules): Promise<FetchedKeys> {
  const { document, headers } = await askForJson({ url }, rules)
  const keys = keysOf(document)
  if (!keys) throw new Error('not a key set')
  return { keys, freshMs: freshMsOf(headers) }
}

/** How long an answer with these headers stays fresh, in milliseconds. */
export function freshMsOf(headers: IncomingHttpHeaders): number {
  const control = headers['cache-control'] ?? ''
  if (/(^|[\s,])no-(store|cache)([\s,=]|$)/i.test(control)) return 0
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(control)?.[1]
  if (maxAge === undefined) return unstatedMsMax
  const age = Number(headers.age ?? 0) || 0
  return Math.min(Math.max(Number(maxAge) - age, 0) * 1000, cachedMsMax)
}
