import { Agent, type IncomingHttpHeaders, request as send } from 'node:http'

/** One HTTP request, to the letter: nothing is added to the headers but what HTTP itself needs. A list is sent as several headers. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer | undefined
}

/** What came back; redirects are not followed and nothing is inflated. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const agent = new Agent({ keepAlive: true })

/** Closes the connections that are kept open. */
export const closeConnections = (): void => agent.destroy()

/** `fetch` is not used: it adds an `Accept` of its own, joins repeated headers and inflates. */
export function exchange({ method, url, headers, body }: Exchange): Promise<Answer> {
  const chunked = 'transfer-encoding' in headers
  const length = body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, agent, headers: { ...headers, ...length } as Record<string, string> })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    outgoing.end(body)
  })
}
