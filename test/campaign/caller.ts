import { setTimeout as pause } from 'node:timers/promises'
import type { Tally } from './tally.ts'

/** Longer than every bound of the server on a request. */
const answerMsMax = 150_000
const pauseMs = 100

export interface Request {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Below the FHIR base, or a whole URL of the server. */
  readonly path: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** A registered client of one tenant, who speaks to any of the servers, and counts what they answer. */
export class Caller {
  readonly #urls: readonly string[]
  readonly #tenant: string
  readonly #token: string
  readonly #tally: Tally
  #turn = 0

  constructor(urls: readonly string[], tenant: string, token: string, tally: Tally) {
    this.#urls = urls
    this.#tenant = tenant
    this.#token = token
    this.#tally = tally
  }

  /** Asks one of the servers, in turn. @returns undefined when no whole answer came; whether the request took effect is unknown then */
  async send({ method, path, body, headers }: Request): Promise<Answer | undefined> {
    const began = performance.now()
    const response = await fetch(this.#address(path), {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/fhir+json',
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(answerMsMax),
    }).catch(() => undefined)
    const text = await response?.text().catch(() => undefined)
    const ms = performance.now() - began
    if (response === undefined || text === undefined) {
      this.#tally.noAnswer(ms)
      return undefined
    }
    const answer = { status: response.status, headers: response.headers, text }
    this.#tally.answer(`${method} ${path}`, answer, ms)
    return answer
  }

  /** Asks again and again while the store or the server is away. */
  async insist(request: Request, deadline: number): Promise<Answer> {
    for (let last = 'no answer'; ; await pause(pauseMs)) {
      const answer = await this.send(request)
      if (answer !== undefined && answer.status !== 503 && answer.status !== 429) return answer
      last = answer ? `${answer.status} ${answer.text}` : last
      if (performance.now() > deadline)
        throw new Error(`${request.method} ${request.path} got no answer in time: ${last}`)
    }
  }

  #address(path: string): string {
    const origin = this.#urls[this.#turn++ % this.#urls.length]!
    if (path.startsWith('/')) return `${origin}/r4/${this.#tenant}${path}`
    const { pathname, search } = new URL(path)
    return `${origin}${pathname}${search}`
  }
}
