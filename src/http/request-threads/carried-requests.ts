import Fastify, { type FastifyBaseLogger, type FastifyInstance, type HTTPMethods, LogController } from 'fastify'
import { grantOf } from '../../access/scope.ts'
import { fhirBase } from '../../fhir/service-urls.ts'
import { requestBytesMax } from '../../protocol/limits.ts'
import { freeBytes } from '../bytes/own-bytes.ts'
import { giveRoom, type Room } from '../bytes/room.ts'
import { letIn } from '../caller.ts'
import type { StoreContext } from '../context.ts'
import { handleFaults } from '../faults.ts'
import { resourceReadRoutes } from '../records/resource-read.ts'
import { costlyRoutes } from './costly-routes.ts'
import { collectGarbage, LeftBehind } from './garbage.ts'
import { type HandedAnswer, type HandedRequest, type LogLevel, logLevels } from './handed-request.ts'

type Log = (level: LogLevel, fields: object, text: string | undefined) => void

/** The costly routes on a thread that answers nobody itself: each request has come in, and its caller was let in, elsewhere. */
export class CarriedRequests {
  readonly #app: FastifyInstance
  #current: HandedRequest | undefined
  #charged = 0
  #payload: Uint8Array = nothing
  #bodyBytes = 0
  readonly #left = new LeftBehind()

  /** @param room where what is read is counted */
  constructor(context: Omit<StoreContext, 'publicUrl'>, room: Room, log: Log) {
    const current = () => this.#current!
    this.#app = Fastify({
      loggerInstance: loggerFor(log),
      logController: new LogController({ disableRequestLogging: true }),
      genReqId: () => current().id,
      // The path as it came: a URL that is parsed on the way could become another one.
      rewriteUrl: () => current().url,
      bodyLimit: requestBytesMax,
    })
    handleFaults(this.#app)
    this.#app.removeAllContentTypeParsers()
    // The body is here already: what a request is made of would be copied on its way, and so would the answer.
    this.#app.addContentTypeParser('*', async () => bufferOf(current().body ?? nothing))
    this.#app.addHook('onSend', async (_request, _reply, payload) => {
      this.#payload = payload instanceof Uint8Array ? payload : Buffer.from(String(payload ?? ''))
      return ''
    })
    // Schemas only describe.
    this.#app.setValidatorCompiler(() => () => true)
    this.#app.setSerializerCompiler(() => JSON.stringify)
    const withUrl: StoreContext = {
      ...context,
      get publicUrl() {
        return current().publicUrl
      },
    }
    this.#app.register(
      async (scope) => {
        scope.addHook('onRequest', async (request) => {
          const { caller, profile, publicUrl } = current()
          const grant = grantOf(caller.tenant, caller.client, caller.scopes, { wildcards: profile.wildcardScopes })
          letIn(request, { grant, tenant: caller.tenant, base: fhirBase(publicUrl, caller.tenant), profile })
          giveRoom(request, room)
        })
        costlyRoutes(scope, withUrl, { charge: (_client, cost) => (this.#charged += cost) })
        resourceReadRoutes(scope, withUrl)
      },
      { prefix: '/r4/:tenant' },
    )
  }

  /** Carries out one request, when none is being carried out. */
  async carry(request: HandedRequest): Promise<HandedAnswer> {
    this.#current = request
    this.#charged = 0
    this.#payload = nothing
    const { method, address, body } = request
    this.#bodyBytes = body?.length ?? 0
    this.#left.wait()
    const answer = await this.#app.inject({
      method: method as HTTPMethods,
      url: '/',
      headers: headersOf(request),
      remoteAddress: address,
    })
    if (body) freeBytes(body)
    const payload = this.#payload
    this.#payload = nothing
    return {
      status: answer.statusCode,
      headers: told(answer.headers),
      payload: method === 'HEAD' ? nothing : payload,
      length: payload.length,
      charged: this.#charged,
    }
  }

  /** The request has been read: of a large one only what is to be written is needed from now on. */
  wasRead(): void {
    if (this.#bodyBytes >= largeBodyBytesMin) collectGarbage()
  }

  /** The answer is on its way. */
  wasAnswered(): void {
    this.#left.add(this.#bodyBytes)
  }
}

/** What a shorter body leaves behind may lie there while its request waits to write. */
const largeBodyBytesMin = 1024 * 1024

const nothing = new Uint8Array(0)

const bufferOf = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)

/** Who may ask is decided. */
const decided = new Set(['authorization', 'connection', 'expect'])

function headersOf({ rawHeaders, traceparent }: HandedRequest): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (decided.has(name)) continue
    headers[name] ??= []
    headers[name].push(rawHeaders[at + 1]!)
  }
  if (traceparent !== undefined) headers.traceparent = [traceparent]
  return headers
}

/** The headers of an answer without those of its transfer. */
function told(headers: Readonly<Record<string, number | string | string[] | undefined>>): HandedAnswer['headers'] {
  const transfer = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])
  const kept = Object.entries(headers).filter(([name, value]) => value !== undefined && !transfer.has(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]))
}

function loggerFor(log: Log): FastifyBaseLogger {
  const line = (level: LogLevel) => (fields: unknown, text?: string) =>
    typeof fields === 'string' ? log(level, {}, fields) : log(level, fields as object, text)
  const lines = Object.fromEntries(logLevels.map((level) => [level, line(level)]))
  const logger = { ...lines, level: 'info', silent: () => {}, child: () => logger } as unknown as FastifyBaseLogger
  return logger
}
