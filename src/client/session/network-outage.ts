import { Failure } from '../../failure.ts'
import { isObject } from './outcome.ts'

/**
 * True for trouble of the network that may pass: an error of a connection, or a failure that such an error caused
 * (a token endpoint out of reach). An expired certificate, a refused client and a full disk are none.
 */
export function isOutage(error: unknown): error is Error {
  const origin = error instanceof Failure ? error.cause : error
  if (!isObject(origin)) return false
  const { code, name } = origin
  return name === 'AbortError' || (typeof code === 'string' && (networkCodes.has(code) || code.startsWith('HPE_')))
}

const networkCodes: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'EPROTO',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
])
