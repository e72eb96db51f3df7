import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from 'node:http'
import { request as requestSecure, Agent as SecureAgent } from 'node:https'
import { Failure } from '../../failure.ts'
import { silenceMsMax } from '../limits.ts'

export type Headers = Readonly<Record<string, string>>

/** One HTTP exchange, without redirects. */
export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: URL
  readonly headers: Headers
  readonly body?: string | undefined
}

/**
 * Connections kept open between requests. `fetch` is not used: it inflates gzip by itself, and a range of a broken
 * download can only be continued on the bytes as they were sent.
 */
export interface Transport {
  /** Resolves when the headers are there; rejects on network errors and on silence, and when the signal fires. */
  readonly send: (outgoing: Outgoing, signal: AbortSignal) => Promise<IncomingMessage>
  readonly close: () => void
}

export function openTransport(): Transport {
  const plain = new PlainAgent({ keepAlive: true })
  const secure = new SecureAgent({ keepAlive: true })
  return {
    send({ method, url, headers, body }, signal) {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const options = { method, signal, headers: { 'user-agent': 'millrace', ...headers, ...length } }
      return new Promise((resolve, reject) => {
        const request =
          url.protocol === 'https:'
            ? requestSecure(url, { ...options, agent: secure })
            : requestPlain(url, { ...options, agent: plain })
        request.setTimeout(silenceMsMax, () => request.destroy(silence(url)))
        request.once('response', resolve)
        request.on('error', reject)
        request.end(body)
      })
    },
    close() {
      plain.destroy()
      secure.destroy()
    },
  }
}

const silence = (url: URL): Error =>
  Object.assign(new Error(`${url.host} sent nothing for ${silenceMsMax / 1000} s`), { code: 'ETIMEDOUT' })

/** The whole body as text. @throws Failure when it is longer than `bytesMax`. */
export async function readText(response: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      response.destroy()
      throw new Failure(
        `The server's answer is longer than ${bytesMax} bytes.`,
        'Check that --server is a FHIR base URL, such as https://host/r4/tenant.',
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
