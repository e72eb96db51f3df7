import { backOffMsMax, backOffMsMin, retryAfterMsMax, retryAfterMsMin } from '../limits.ts'

/**
 * Milliseconds that a `Retry-After` header asks for (P2: seconds or an HTTP-date), within the client's bounds;
 * undefined when there is none or it cannot be read.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim()
  if (!text) return undefined
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  if (Number.isNaN(ms)) return undefined
  return Math.min(Math.max(ms, retryAfterMsMin), retryAfterMsMax)
}

/**
 * Milliseconds to wait before try number `tries` (from 0) when the server says nothing: doubles from one second to a
 * minute, less up to half by chance, so that clients that failed together do not return together.
 */
export function backOffMs(tries: number, random: () => number): number {
  const full = Math.min(backOffMsMin * 2 ** Math.min(tries, 16), backOffMsMax)
  return Math.max(full * (1 - random() / 2), backOffMsMin)
}
