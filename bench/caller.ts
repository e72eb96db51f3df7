import { setTimeout as sleep } from 'node:timers/promises'
import { kickOffCall } from '../src/client/kick-off.ts'
import { answerBytesMax, manifestBytesMax } from '../src/client/limits.ts'
import { type Manifest, parseManifest } from '../src/client/manifest.ts'
import type { ExportOrder } from '../src/client/order.ts'
import { systemClock } from '../src/client/session/clock.ts'
import { explainAnswer } from '../src/client/session/outcome.ts'
import { type Call, openSession, type Session, type TokenSource } from '../src/client/session/session.ts'
import type { Credentials } from '../src/client/session/token-source.ts'
import { readText } from '../src/client/session/transport.ts'
import { deleteJob } from '../src/client/status.ts'
import { Failure } from '../src/failure.ts'
import { earlyTokens } from './tokens.ts'

/** A finished export and how long it took. */
export interface FinishedExport {
  /** From sending the kick-off to having the manifest. */
  readonly seconds: number
  /** From sending the kick-off to its answer. */
  readonly kickOffMs: number
  /** How long each status poll took that found the export running. */
  readonly pollMs: readonly number[]
  /** Sum of the manifest's `count`. */
  readonly records: number
  readonly manifest: Manifest
  readonly statusUrl: URL
}

/** A part of an order; the rest is all types, everything, always. */
export type Wish = { readonly patients: readonly string[] } & Partial<Omit<ExportOrder, 'selection'>>

/** Pause between polls: short at first, so that it hardly adds to a short export, and never so short that more are asked in a second than may be. */
const firstPauseMs = 25
const laterPauseMs = 100
const pauseShare = 1 / 6

/** How long to wait for the next poll when so much has passed since the first. */
export const pollPauseMs = (passedMs: number): number =>
  Math.min(laterPauseMs, Math.max(firstPauseMs, passedMs * pauseShare))

/** The client that measures: a registered client of the server, over HTTP. */
export class Caller {
  readonly base: URL
  readonly #token: TokenSource
  readonly #signal: AbortSignal

  constructor(base: string, credentials: Credentials, signal: AbortSignal) {
    this.base = new URL(base)
    this.#token = earlyTokens(base, credentials, signal)
    this.#signal = signal
  }

  /** Runs an export from kick-off to manifest, looks at it, and deletes it. */
  async export<T = void>(
    wish: Wish,
    look?: (found: FinishedExport, session: Session) => Promise<T>,
  ): Promise<FinishedExport & { readonly seen: T | undefined }> {
    return this.inSession(async (session) => {
      const found = await this.#finish(session, wish)
      const seen = await look?.(found, session)
      const run = { session, clock: systemClock, signal: this.#signal, report: () => {} }
      await deleteJob(run, found.statusUrl)
      return { ...found, seen }
    })
  }

  /** Makes other calls with the client's token. */
  async inSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { base } = this
    await this.#token()
    const session = openSession({
      base,
      trustedOrigins: [],
      token: this.#token,
      signal: this.#signal,
      clock: systemClock,
    })
    try {
      return await work(session)
    } finally {
      session.close()
    }
  }

  async #finish(session: Session, wish: Wish): Promise<FinishedExport> {
    const { patients, types = [], typeFilters = [], since, includeAssociatedData = [] } = wish
    const order = { selection: { patients }, types, typeFilters, since, includeAssociatedData }
    const call = kickOffCall(this.base, order)
    const started = performance.now()
    const { location } = await answerTo(session, call, 202, answerBytesMax)
    const kickOffMs = performance.now() - started
    const statusUrl = new URL(location!)
    const { body, pollMs } = await this.#poll(session, statusUrl)
    const seconds = (performance.now() - started) / 1000
    const manifest = parseManifest(JSON.parse(body), statusUrl)
    const output = manifest.files.filter(({ kind }) => kind === 'output')
    const records = output.reduce((sum, { count }) => sum + count!, 0)
    return { seconds, kickOffMs, pollMs, records, manifest, statusUrl }
  }

  async #poll(session: Session, url: URL): Promise<{ readonly body: string; readonly pollMs: readonly number[] }> {
    const pollMs: number[] = []
    const started = performance.now()
    for (;;) {
      const asked = performance.now()
      const call = { method: 'GET', url, headers: { accept: 'application/json' }, token: 'same-origin' } as const
      const { status, body } = await answerTo(session, call, [200, 202], manifestBytesMax)
      if (status === 200) return { body, pollMs }
      pollMs.push(performance.now() - asked)
      await sleep(pollPauseMs(performance.now() - started), undefined, { signal: this.#signal })
    }
  }
}

/** Sends a call and reads its answer. @throws Failure when it has another status */
export async function answerTo(session: Session, call: Call, wanted: number | readonly number[], bytesMax: number) {
  const { status, response } = await session.call(call)
  const body = await readText(response, bytesMax)
  if ([wanted].flat().includes(status)) return { status, body, location: response.headers['content-location'] }
  throw new Failure(
    `${call.method} ${call.url.pathname} was answered otherwise than it should: ${explainAnswer(response, body)}`,
    'This is a defect of the server or of the benchmark: please report it.',
  )
}
