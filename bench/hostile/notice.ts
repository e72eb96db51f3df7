import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenSource } from '../../src/client/session/session.ts'
import { Caller } from '../caller.ts'
import { smallExportPatients } from '../dataset.ts'
import { median, percentile } from '../statistics.ts'
import { earlyTokens } from '../tokens.ts'
import { type Ground, quietTenant } from './ground.ts'

/** What somebody does who only wants to be served. All in milliseconds: p99, of exports the median. */
export const noticed = ['livez', 'poll', 'read', 'put', 'export'] as const
export type Noticed = (typeof noticed)[number]

type Samples = Record<Noticed, number[]>

/** The figures that the samples give, and what was not answered as it should be: how often, by what was asked for and what came instead. */
export interface Notice {
  readonly ms: Readonly<Record<Noticed, number>>
  readonly failed: Readonly<Record<string, number>>
}

/** Pause between two requests of one kind: under the rate at which a client may poll. */
const pauseMs = 60
const exportPauseMs = 400

/** A request that has no answer by then has failed, and counts as long as that. */
const waitMsMax = 20_000

const noJob = '00000000-0000-4000-8000-000000000000'

const reasonOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.message

/** The client of the quiet tenant, which asks for the same all the time. */
export class Bystander {
  readonly #url: string
  readonly #token: TokenSource
  readonly #caller: Caller
  readonly #patients: readonly string[]
  readonly #agents: Record<string, Agent> = {}
  #written = 0

  constructor({ server, quiet, dataset }: Ground, signal: AbortSignal) {
    this.#url = server.url
    this.#token = earlyTokens(`${server.url}/r4/${quietTenant}`, quiet, signal)
    this.#caller = new Caller(`${server.url}/r4/${quietTenant}`, quiet, signal)
    this.#patients = dataset.patients.slice(0, smallExportPatients)
  }

  /** Goes on for so long, and tells how it was served. */
  async watch(ms: number): Promise<Notice> {
    const samples: Samples = { livez: [], poll: [], read: [], put: [], export: [] }
    const until = performance.now() + ms
    const failed: Record<string, number> = {}
    const again = async (kind: Noticed, pause: number, once: () => Promise<string | number>, wanted: unknown[]) => {
      do {
        const begun = performance.now()
        const found = await once().catch(({ message }: Error) => message)
        if (!wanted.includes(found)) failed[`${kind}: ${found}`] = (failed[`${kind}: ${found}`] ?? 0) + 1
        samples[kind].push(performance.now() - begun)
        await sleep(pause)
      } while (performance.now() < until)
    }
    const base = `/r4/${quietTenant}`
    const read = `${base}/Patient/${this.#patients[0]}`
    await Promise.all([
      again('livez', pauseMs, () => this.#ask('livez', 'GET', '/livez'), [200]),
      // A job that is not there is asked for like one that is: who calls is found out, and the row is looked for.
      again('poll', pauseMs, () => this.#ask('poll', 'GET', `${base}/bulk-export/jobs/${noJob}`), [404]),
      again('read', pauseMs, () => this.#ask('read', 'GET', read), [200]),
      again('put', pauseMs, () => this.#put(base), [200, 201]),
      again('export', exportPauseMs, () => this.#export(), ['done']),
    ])
    const p99 = (kind: Noticed) => percentile(samples[kind], 99)
    return {
      ms: {
        livez: p99('livez'),
        poll: p99('poll'),
        read: p99('read'),
        put: p99('put'),
        export: median(samples.export),
      },
      failed,
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  async #export(): Promise<string> {
    await this.#caller.export({ patients: this.#patients })
    return 'done'
  }

  #put(base: string): Promise<number | string> {
    const body = `{"resourceType":"Basic","id":"mine","extension":[{"url":"http://x","valueInteger":${this.#written++}}]}`
    return this.#ask('put', 'PUT', `${base}/Basic/mine`, body)
  }

  /** @returns the status, or why there is none */
  async #ask(kind: Noticed, method: string, path: string, body?: string): Promise<number | string> {
    const { accessToken } = await this.#token()
    this.#agents[kind] ??= new Agent({ keepAlive: true, maxSockets: 1 })
    return new Promise((resolve) => {
      const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/fhir+json' }
      const signal = AbortSignal.timeout(waitMsMax)
      const sent = request(new URL(path, this.#url), { method, headers, signal, agent: this.#agents[kind]! })
      sent.on('error', (error) => resolve(reasonOf(error)))
      sent.on('response', (response) => {
        response.on('error', (error) => resolve(reasonOf(error)))
        response.on('end', () => resolve(response.statusCode ?? 0)).resume()
      })
      sent.end(body)
    })
  }
}
