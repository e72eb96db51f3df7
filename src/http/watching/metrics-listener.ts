import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hasToken, type MetricsPage } from './metrics-page.ts'

/** Whoever scrapes keeps a connection or two. */
export const metricsConnectionsMax = 20
const metricsRequestMsMax = 10_000
const metricsHeadersBytesMax = 8 * 1024

/** Where metrics are on an address of their own. */
export interface MetricsAddress {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
}

/**
 * Listens on an address that has `GET /metrics` and nothing else. Plain HTTP: it tells of no patient.
 * @param token whoever asks must have it; without, everybody who reaches the address may ask
 * @throws what `listen` throws
 */
export async function listenForMetrics(
  { host, port }: MetricsAddress,
  page: MetricsPage,
  token: string | undefined,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const bounds = {
    requestTimeout: metricsRequestMsMax,
    headersTimeout: metricsRequestMsMax,
    maxHeaderSize: metricsHeadersBytesMax,
  }
  const server = createServer(bounds, (request, response) => {
    answer(request, response, page, token).catch(() => response.writeHead(500).end())
  })
  server.maxConnections = metricsConnectionsMax
  server.listen({ host, port })
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  page: MetricsPage,
  token: string | undefined,
): Promise<void> {
  const [path] = (url ?? '').split('?')
  if (path !== '/metrics') return tell(response, 404, 'There is /metrics, and nothing else.')
  if (method !== 'GET' && method !== 'HEAD') return tell(response.setHeader('Allow', 'GET, HEAD'), 405, 'GET it.')
  if (token !== undefined && !hasToken(headers.authorization, token)) {
    return tell(response.setHeader('WWW-Authenticate', 'Bearer realm="Millrace metrics"'), 401, 'The token is wrong.')
  }
  const text = await page.scrape()
  response.writeHead(200, { 'Content-Type': page.contentType, 'Cache-Control': 'no-store' })
  response.end(method === 'HEAD' ? undefined : text)
}

function tell(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}
