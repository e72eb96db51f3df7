import { Worker } from 'node:worker_threads'
import type { AuditEntry } from '../../audit/entry.ts'
import { type WriteBounds, WriteGate, type WriteIntent } from '../records/write-gate.ts'
import {
  type FromThread,
  type HandedAnswer,
  type HandedRequest,
  type LogLevel,
  ownBytes,
  type ToThread,
} from './handed-request.ts'
import type { RequestThreadData } from './request-thread.ts'

/**
 * How many requests are carried out on other threads at a time, one by each thread. One client leaves room for another of its tenant, and
 * one tenant for another. Those who wait are as many as may wait to write.
 */
export const threadBounds: WriteBounds = {
  runningMax: 4,
  runningOfTenantMax: 3,
  runningOfClientMax: 2,
  waitingMax: 400,
  waitingOfTenantMax: 200,
  waitingOfClientMax: 40,
}

/** The heap of a thread, enough for every body that is accepted: what takes more ends its thread, and is answered 500. */
const threadHeapMb = 512

/** A thread that had nothing to do for so long is ended, and gives back its memory; one is always there, or being started. */
const idleMsMax = 30_000

/** Takes what a thread logs. */
export type ThreadLines = (level: LogLevel, fields: object, text: string | undefined) => void

/** Carries out requests that would keep the answering thread from others. */
export interface RequestCarrier {
  /**
   * Hands a request over, its body without a copy: it is empty afterwards.
   * @throws TooManyWrites at once when too many wait; whatever ends the thread
   */
  readonly carry: (request: HandedRequest, log: ThreadLines) => Promise<HandedAnswer>
}

/** Threads that carry out requests, one at a time each, so that whatever one of them costs, it ends nothing but itself. */
export class RequestThreads implements RequestCarrier {
  readonly #data: RequestThreadData
  readonly #heapMb: number
  readonly #writes: WriteGate
  readonly #note: (entry: AuditEntry) => void
  readonly #turns: WriteGate
  readonly #threads = new Set<RequestThread>()
  #stopping = false

  /**
   * @param writes the gate of all writes of the server
   * @param note takes refusals for the audit trail
   */
  constructor(
    data: RequestThreadData,
    writes: WriteGate,
    note: (entry: AuditEntry) => void,
    bounds = threadBounds,
    heapMb = threadHeapMb,
  ) {
    this.#data = data
    this.#heapMb = heapMb
    this.#writes = writes
    this.#note = note
    this.#turns = new WriteGate(bounds)
    this.#start()
  }

  async carry(request: HandedRequest, log: ThreadLines): Promise<HandedAnswer> {
    return this.#turns.run({ ...request.caller, keys: [] }, () => this.#idle().carry(request, log))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  /** The one that has carried something last: the others may be idle for long enough to end. */
  #idle(): RequestThread {
    const idle = [...this.#threads].filter(({ isBusy }) => !isBusy)
    return idle.sort((a, b) => b.idleSince - a.idleSince)[0] ?? this.#start()
  }

  #start(): RequestThread {
    const thread = new RequestThread(this.#data, this.#heapMb, this.#writes, this.#note)
    this.#threads.add(thread)
    thread.ended.then((wasReady) => {
      this.#threads.delete(thread)
      // One that cannot even start is tried again when it is needed.
      if (wasReady && this.#threads.size === 0 && !this.#stopping) this.#start()
    })
    return thread
  }
}

/** One thread, and what it is at. */
class RequestThread {
  readonly #worker: Worker
  readonly #writes: WriteGate
  readonly #note: (entry: AuditEntry) => void
  /** Resolves when it has ended, with whether it ever was ready. */
  readonly ended: Promise<boolean>
  idleSince = performance.now()
  #carrying: { readonly settle: PromiseWithResolvers<HandedAnswer>; readonly log: ThreadLines } | undefined
  /** Ends the turn that its write has. */
  #leave = () => {}
  #isReady = false
  #failure: Error | undefined
  #idling: NodeJS.Timeout | undefined

  constructor(data: RequestThreadData, heapMb: number, writes: WriteGate, note: (entry: AuditEntry) => void) {
    const resourceLimits = { maxOldGenerationSizeMb: heapMb }
    this.#writes = writes
    this.#note = note
    this.#worker = new Worker(new URL('./request-thread.ts', import.meta.url), { workerData: data, resourceLimits })
    this.#worker.on('message', (message: FromThread) => this.#told(message))
    this.#worker.on('error', (error: Error) => {
      this.#failure = error
    })
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        clearTimeout(this.#idling)
        this.#leave()
        this.#carrying?.settle.reject(new Error('the thread of the request has ended', { cause: this.#failure }))
        resolve(this.#isReady)
      })
    })
  }

  get isBusy(): boolean {
    return this.#carrying !== undefined
  }

  async carry(request: HandedRequest, log: ThreadLines): Promise<HandedAnswer> {
    clearTimeout(this.#idling)
    const settle = Promise.withResolvers<HandedAnswer>()
    this.#carrying = { settle, log }
    const body = request.body && ownBytes(request.body)
    this.#tell({ kind: 'request', request: { ...request, body } }, body ? [body.buffer] : [])
    return settle.promise
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #tell(message: ToThread, transferred: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred)
  }

  #told(message: FromThread): void {
    if (message.kind === 'ready') this.#isReady = true
    else if (message.kind === 'answer') this.#rest()?.resolve(message.answer)
    else if (message.kind === 'failed') this.#rest()?.reject(new Error(message.message))
    else if (message.kind === 'enter') this.#enter(message.intent)
    else if (message.kind === 'leave') this.#leave()
    else if (message.kind === 'note') this.#note(message.entry)
    else this.#carrying?.log(message.level, message.fields, message.text)
  }

  /** Its write takes its turn among all writes of the server. */
  #enter(intent: WriteIntent): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#leave = resolve
    const work = () => {
      this.#tell({ kind: 'admitted' })
      return promise
    }
    this.#writes.run(intent, work).catch(() => this.#tell({ kind: 'refused' }))
  }

  /** What it was at is done. */
  #rest(): PromiseWithResolvers<HandedAnswer> | undefined {
    const settle = this.#carrying?.settle
    this.#carrying = undefined
    this.idleSince = performance.now()
    this.#idling = setTimeout(() => void this.end(), idleMsMax).unref()
    return settle
  }
}
