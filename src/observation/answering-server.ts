import { request as requestClear } from 'node:http'
import { request as requestTls } from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { ReadinessReport } from './readiness.ts'

/** What a server says of itself, as somebody sees it who asks over the network. */
export interface AnsweringServer {
  readonly url: string
  /** What `/readyz` told; undefined when nobody answers there. */
  readonly readiness?: Omit<ReadinessReport, 'ready'> & { readonly ready: boolean }
  /** Why nobody answers. */
  readonly reason?: string
  /** Of a URL with https. */
  readonly certificateValidTo?: Date
}

/** How long an answer is waited for. */
const answerMsMax = 5_000
const answerBytesMax = 64 * 1024

/**
 * Asks a server whether it is ready. Whom its certificate is from does not matter: nothing is sent but the question, and its date is what is
 * wanted of it.
 */
export function askServer(url: string): Promise<AnsweringServer> {
  const target = `${url}/readyz`
  const isTls = target.startsWith('https:')
  const signal = AbortSignal.timeout(answerMsMax)
  const reasonOf = ({ code, message }: NodeJS.ErrnoException): string =>
    signal.aborted ? `no answer within ${answerMsMax / 1000} s` : (code ?? message)
  return new Promise((resolve) => {
    const asked = (isTls ? requestTls : requestClear)(target, {
      ...(isTls ? { rejectUnauthorized: false } : {}),
      signal,
      agent: false,
    })
    asked.on('error', (error) => resolve({ url, reason: reasonOf(error) }))
    asked.on('response', (response) => {
      const certificate = isTls ? certificateOf(response.socket as TLSSocket) : {}
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        text = `${text}${chunk}`.slice(0, answerBytesMax)
      })
      response.on('error', (error) => resolve({ url, reason: reasonOf(error), ...certificate }))
      response.on('end', () => {
        const report = readReport(text)
        const ready = response.statusCode === 200
        if (report) resolve({ url, readiness: { ...report, ready }, ...certificate })
        else resolve({ url, reason: `it answers ${response.statusCode}, and not as Millrace does`, ...certificate })
      })
    })
    asked.end()
  })
}

function certificateOf(socket: TLSSocket): { readonly certificateValidTo?: Date } {
  const { valid_to: validTo } = socket.getPeerCertificate()
  return validTo ? { certificateValidTo: new Date(validTo) } : {}
}

/** Only words that are known by their names: whoever answers there may be somebody else. */
function readReport(text: string): Omit<ReadinessReport, 'ready'> | undefined {
  try {
    const told = JSON.parse(text) as Record<string, unknown>
    if (typeof told.status !== 'string') return undefined
    const names = ['status', 'disk', 'files', 'workers', 'queue'].filter((name) => typeof told[name] === 'string')
    return Object.fromEntries(names.map((name) => [name, told[name]])) as unknown as Omit<ReadinessReport, 'ready'>
  } catch {
    return undefined
  }
}
