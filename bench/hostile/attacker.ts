import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TokenSource } from '../../src/client/session/session.ts'

/** What an attack has cost whoever made it, so far. */
export interface Cost {
  requests: number
  connections: number
  bytesSent: number
  /** Answers, by their status. */
  readonly statuses: Record<string, number>
}

/** What is said in a request. */
export interface Said {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Of an answer as much as an attack looks at. */
export interface Heard {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

/** Whoever attacks: from an address of its own where the system has one, and with the tokens of clients of its tenant. */
export class Attacker {
  readonly cost: Cost = { requests: 0, connections: 0, bytesSent: 0, statuses: {} }
  readonly signal: AbortSignal
  readonly #url: URL
  readonly #tokens: readonly TokenSource[]
  readonly #agent: Agent
  readonly #sockets = new Set<Socket>()

  constructor(url: string, tokens: readonly TokenSource[], signal: AbortSignal) {
    this.#url = new URL(url)
    this.#tokens = tokens
    this.signal = signal
    this.#agent = new Agent({ keepAlive: true, maxSockets: 200, ...from })
    signal.addEventListener('abort', () => {
      this.#agent.destroy()
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  /** The header by which one of the clients is known. */
  async bearer(client = 0): Promise<{ readonly authorization: string }> {
    const { accessToken } = await this.#tokens[client]!()
    return { authorization: `Bearer ${accessToken}` }
  }

  /** Asks for something and reads the answer, or throws because the attack is over. What fails otherwise is answered 0. */
  async ask(method: string, path: string, { headers = {}, body }: Said = {}): Promise<Heard> {
    this.signal.throwIfAborted()
    this.cost.requests++
    this.cost.bytesSent += body === undefined ? 0 : Buffer.byteLength(body)
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const heard = await new Promise<Heard>((resolve) => {
      const sent = request(new URL(path, this.#url), { method, agent: this.#agent, headers: { ...headers, ...length } })
      sent.on('error', () => resolve({ status: 0, location: undefined, body: '' }))
      sent.on('response', (response) => resolve(heardOf(response)))
      sent.end(body)
    })
    this.signal.throwIfAborted()
    this.cost.statuses[heard.status] = (this.cost.statuses[heard.status] ?? 0) + 1
    return heard
  }

  /** Opens a connection on which nothing is said that is not sent. */
  connect(): Socket {
    this.signal.throwIfAborted()
    this.cost.connections++
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), ...from })
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }

  /** Sends bytes as they are. */
  send(socket: Socket, bytes: string): void {
    this.cost.bytesSent += Buffer.byteLength(bytes)
    socket.write(bytes)
  }

  /** Does the same again and again, so many times at a time, until the attack is over. */
  async keepAt(atATime: number, once: (place: number) => Promise<unknown>): Promise<void> {
    const one = async (place: number) => {
      while (!this.signal.aborted) await once(place)
    }
    await Promise.allSettled(Array.from({ length: atATime }, (_, place) => one(place)))
  }
}

/** Linux has all of 127.0.0.0/8: who attacks is another address there than who only wants to be served. */
const from = process.platform === 'linux' ? { localAddress: '127.0.0.3' } : {}

/** Bytes of an answer that an attack keeps. */
const keptBytesMax = 100_000

async function heardOf(response: IncomingMessage): Promise<Heard> {
  const { statusCode = 0, headers } = response
  let body = ''
  try {
    for await (const chunk of response) if (body.length < keptBytesMax) body += chunk
  } catch {
    // It was broken off.
  }
  return { status: statusCode, location: headers['content-location'] ?? headers.location, body }
}
