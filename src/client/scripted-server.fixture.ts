import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from './session/clock.ts'

/**
 * For tests only: an HTTP server that answers as a script says. It is scripted, and no real Bulk Data server, because it must
 * misbehave on purpose: break connections, lie about counts, ignore `Range`, fail at the third request.
 */
export interface ScriptedServer {
  readonly origin: string
  /** All requests so far, in order. */
  readonly requests: SeenRequest[]
  /** The requests of one path. */
  readonly seen: (path: string) => SeenRequest[]
  readonly stop: () => Promise<void>
}

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Act = (response: ServerResponse, request: SeenRequest) => void

/** Acts by `METHOD /path`: one for every request, or one for each in turn, the last for all further ones. */
export type Script = Readonly<Record<string, Act | readonly Act[]>>

/** The FHIR base of the script is `{origin}/r4/tenant`. */
export const basePath = '/r4/tenant'
export const jobPath = `${basePath}/bulk-export/jobs/1`

/** Starts a server that gives tokens `token-1`, `token-2` … to anybody and otherwise follows the script. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
  const requests: SeenRequest[] = []
  const counts = new Map<string, number>()
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming)
    requests.push(request)
    const key = `${request.method} ${request.path}`
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    const entry = script[key] ?? tokenScript[key]
    const act = Array.isArray(entry) ? entry[Math.min(count, entry.length - 1)] : entry
    if (act) act(response, request)
    else json(404, { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'not-found' }] })(response)
  })
  const origin = await new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
  let tokens = 0
  const tokenScript: Record<string, Act> = {
    [`GET ${basePath}/.well-known/smart-configuration`]: json(200, {
      token_endpoint: `${origin}/token`,
      scopes_supported: ['system/*.read'],
    }),
    'POST /token': (response) =>
      json(200, { access_token: `token-${++tokens}`, token_type: 'Bearer', expires_in: 300 })(response),
  }
  return {
    origin,
    requests,
    seen: (path) => requests.filter((request) => request.path === path),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  let body = ''
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk
  const url = new URL(incoming.url ?? '/', 'http://scripted')
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
  }
}

/** Answers with JSON. */
export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }

/** Answers with a status and headers alone. */
export const bare =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end()
  }

/** Answers with bytes. */
export const bytes =
  (body: Uint8Array | string, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    const length = String(Buffer.byteLength(body))
    response.writeHead(200, { 'content-type': 'application/fhir+ndjson', 'content-length': length, ...headers })
    response.end(body)
  }

/** Announces the whole body, sends the first `count` bytes of it and, when they have arrived, breaks the connection. */
export const brokenAfter =
  (count: number, body: Buffer, headers: Record<string, string>, arrived: (bytes: number) => Promise<void>) =>
  async (response: ServerResponse): Promise<void> => {
    response.writeHead(200, { 'content-length': String(body.length), ...headers })
    response.write(body.subarray(0, count))
    await arrived(count)
    response.destroy()
  }

/** Continues a body as `Range` asks. */
export const rest =
  (body: Buffer, headers: Record<string, string> = {}): Act =>
  (response, request) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1])
    const range = `bytes ${start}-${body.length - 1}/${body.length}`
    response.writeHead(206, { 'content-range': range, 'content-length': String(body.length - start), ...headers })
    response.end(body.subarray(start))
  }

/** The manifest of a job, as a body; `error` and `deleted` may be overridden. */
export const manifestOf = (output: readonly object[], more: object = {}): object => ({
  transactionTime: '2026-01-02T03:04:05.678Z',
  request: `https://server.example${basePath}/Patient/$export`,
  requiresAccessToken: true,
  output,
  error: [],
  ...more,
})

/** NDJSON with one record an id. */
export const ndjson = (type: string, ids: readonly string[]): string =>
  ids.map((id) => `${JSON.stringify({ resourceType: type, id, text: { status: 'empty' } })}\n`).join('')

/** A clock that does not wait: a pause only moves its time on. Keeps the waits. */
export function impatientClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = []
  let nowMs = Date.now()
  return {
    waits,
    now: () => nowMs,
    random: () => 0,
    async pause(ms, signal) {
      signal.throwIfAborted()
      waits.push(ms)
      nowMs += ms
    },
  }
}
