import type { Definitions } from './definition.ts'

/** As OpenTelemetry's semantic conventions have them for `http.server.request.duration`. */
const requestEnds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Requests, connections, and what is sent. */
export const httpMetrics = {
  http_server_request_duration_seconds: {
    kind: 'histogram',
    help: 'Requests by how long they took, from their headers until their answer had left or was broken off',
    unit: 'seconds',
    labels: {
      http_request_method: 'the method, `_OTHER` for one that HTTP does not know',
      http_route: 'the pattern of the route, such as `/r4/:tenant/Patient/$export`; empty where there is none',
      http_response_status_code:
        'the status; 401, 403 and 429 are refusals; `none` where a client gave up before it was sent one',
      url_scheme: ['http', 'https'],
    },
    buckets: requestEnds,
    of: 'process',
    decides:
      'whether clients wait, and whether more servers are needed; 401 and 403: a client is misconfigured or somebody tries',
  },
  http_server_active_requests: {
    kind: 'gauge',
    help: 'Requests whose answer has not left',
    unit: 'count',
    of: 'process',
    decides: 'whether answers pile up',
  },
  millrace_http_connections: {
    kind: 'gauge',
    help: 'Open connections of clients and proxies',
    unit: 'count',
    of: 'process',
    decides: 'whether the bound of 2,000 is near: more servers, or a proxy that shares connections',
  },
  millrace_connections_dropped_total: {
    kind: 'counter',
    help: 'Connections that were closed for another, or on which nothing was said',
    unit: 'count',
    labels: { cause: ['address full', 'server full', 'silent', 'too many at once'] },
    of: 'process',
    decides: 'whether somebody takes the connections of others: look into the log for the network',
  },
  millrace_unreadable_requests_total: {
    kind: 'counter',
    help: 'What came on a connection and was no request: not HTTP, too large in its headers, too slow',
    unit: 'count',
    of: 'process',
    decides: 'whether a proxy in front is misconfigured, or somebody probes',
  },
  millrace_bytes_in_flight: {
    kind: 'gauge',
    help: 'Bytes of bodies and answers in memory',
    unit: 'bytes',
    of: 'process',
    decides: 'whether the bound of 80 MiB is near, beyond which requests are 503',
  },
  millrace_downloads_total: {
    kind: 'counter',
    help: 'Downloads of files by how they ended',
    unit: 'count',
    labels: { outcome: ['complete', 'broken off', 'slow reader'] },
    of: 'process',
    decides: 'whether clients get their files: many broken ones are a proxy that buffers, or times out',
  },
  millrace_download_bytes_total: {
    kind: 'counter',
    help: 'Bytes of files that were given to connections',
    unit: 'bytes',
    of: 'process',
    decides: 'how much of the network exports take',
  },
} as const satisfies Definitions
