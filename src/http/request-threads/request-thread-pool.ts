import { Worker } from 'node:worker_threads'
import type { AuditEntry } from '../../audit/entry.ts'
import type { ThreadMeasures } from '../../telemetry/thread-measures.ts'
import { TooManyBytes } from '../bytes/bytes-in-flight.ts'
import { ownBytes } from '../bytes/own-bytes.ts'
import type { Room } from '../bytes/room.ts'
import { FairQueue, type Intent, type QueueBounds } from '../fair-queue.ts'
import type { FromThread, HandedAnswer, HandedRequest, LogLevel, ToThread } from './handed-request.ts'
import type { RequestThreadData } from './request-thread.ts'

/**
 * How many requests are carried out on other threads at a time, one by each thread. One client leaves room for another of its tenant, and one tenant for another. A body takes
 * several times its bytes while it is handled, so that all at work have together what one may have. Those who wait are as many as may wait
 * to write.
 */
export const threadBounds: QueueBounds = {
  runningMax: 3,
  runningOfTenantMax: 2,
  runningOfClientMax: 1,
  waitingMax: 400,
  waitingOfTenantMax: 200,
  waitingOfClientMax: 40,
  runningBytesMax: 16 * 1024 * 1024,
}

/** A body from this length on may hold so much that it takes as much memory as others of several times its length. */
const denseBodyBytesMin = 512 * 1024
/** As how many bytes such a body counts at least: two have room beside each other, and one that is shorter beside the longest. */
const denseBodyBytes = 6 * 1024 * 1024

/** As how many bytes at work a body counts. */
export const bytesAtWork = (bodyBytes: number): number =>
  bodyBytes < denseBodyBytesMin ? bodyBytes : Math.max(bodyBytes, denseBodyBytes)

/** The same for what writes no records: kick-offs, looks into the audit trail. They take a second where a Bundle takes half a minute. */
const shortBounds: QueueBounds = {
  ...threadBounds,
  runningMax: 2,
  runningOfTenantMax: 1,
}

/** The heap of a thread, enough for every body that is accepted: what takes more ends its thread, and is answered 500. */
const threadHeapMb = 512

/** Of which so much for what is young: a larger share makes a thread faster by nothing that can be measured, and larger by itself. */
const youngHeapMb = 8

/** No request takes as long: its database has given up before. What goes on for longer ends its thread, and is answered 500. */
const carriedMsMax = 300_000

/** A thread that had nothing to do for so long is ended, and gives back its memory; one is always there, or being started. */
const idleMsMax = 30_000

/** The server stops: nothing was done. */
export class Stopping extends Error {
  constructor() {
    super('the server stops')
  }
}

/** Takes what a thread logs. */
type ThreadLines = (level: LogLevel, fields: object, text: string | undefined) => void

/** What there is once in a server, for all of its threads. */
export interface ServerSide {
  /** Of all writes. */
  readonly writes: FairQueue
  /** Takes refusals for the audit trail. */
  readonly note: (entry: AuditEntry) => void
  /** Takes what a thread logs while it has no request. */
  readonly log: ThreadLines
  /** Takes what threads measure. */
  readonly measures?: ThreadMeasures
}

/** What a request has on the answering thread while another one carries it out. */
export interface CarriedHere {
  readonly log: ThreadLines
  /** Where what is read for it is counted. */
  readonly room: Room
}

/** Carries out requests that would keep the answering thread from others. */
export interface RequestCarrier {
  /**
   * Hands a request over, its body without a copy: it is empty afterwards.
   * @throws TooManyWaiting at once when too many wait; Stopping; whatever ends the thread
   */
  readonly carry: (request: HandedRequest, here: CarriedHere) => Promise<HandedAnswer>
}

/** Threads that carry out requests, one at a time each, so that whatever one of them costs, it ends nothing but itself. */
export class RequestThreads implements RequestCarrier {
  readonly #data: RequestThreadData
  readonly #heapMb: number
  readonly #server: ServerSide
  readonly #turns = new FairQueue(threadBounds)
  /** Of kick-offs and of looks into the audit trail, which do not wait behind Bundles. */
  readonly #shortTurns = new FairQueue(shortBounds)
  readonly #threads = new Set<RequestThread>()
  #stopping = false

  constructor(data: RequestThreadData, server: ServerSide, heapMb = threadHeapMb) {
    this.#data = data
    this.#server = server
    this.#heapMb = heapMb
    this.#start()
  }

  async carry(request: HandedRequest, here: CarriedHere): Promise<HandedAnswer> {
    const turns = request.writes ? this.#turns : this.#shortTurns
    return turns.run({ ...request.caller, keys: [], bytes: bytesAtWork(request.body?.length ?? 0) }, async () => {
      if (this.#stopping) throw new Stopping()
      return this.#idle().carry(request, here)
    })
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all([...this.#threads].map((thread) => thread.end()))
  }

  /** The one that has carried something last: the others may be idle for long enough to end. */
  #idle(): RequestThread {
    const idle = [...this.#threads].filter(({ isIdle }) => isIdle)
    return idle.sort((a, b) => b.idleSince - a.idleSince)[0] ?? this.#start()
  }

  #start(): RequestThread {
    const thread = new RequestThread(this.#data, this.#server, this.#heapMb)
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
  readonly #server: ServerSide
  /** Resolves when it has ended, with whether it ever was ready. */
  readonly ended: Promise<boolean>
  idleSince = performance.now()
  #carrying: (CarriedHere & { readonly settle: PromiseWithResolvers<HandedAnswer> }) | undefined
  /** Ends the turn that its write has. */
  #leave = () => {}
  #isReady = false
  #isEnding = false
  #failure: Error | undefined
  #idling: NodeJS.Timeout | undefined
  #bound: NodeJS.Timeout | undefined

  constructor(data: RequestThreadData, server: ServerSide, heapMb: number) {
    const resourceLimits = { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngHeapMb }
    this.#server = server
    this.#worker = new Worker(new URL('./request-thread.ts', import.meta.url), { workerData: data, resourceLimits })
    this.#worker.on('message', (message: FromThread) => this.#told(message))
    this.#worker.on('error', (error: Error) => {
      this.#failure = error
      server.log('error', { reason: error.message }, 'a request thread has failed')
    })
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        clearTimeout(this.#idling)
        clearTimeout(this.#bound)
        server.measures?.forget(this)
        this.#leave()
        this.#carrying?.settle.reject(new Error('the thread of the request has ended', { cause: this.#failure }))
        resolve(this.#isReady)
      })
    })
  }

  get isIdle(): boolean {
    return this.#carrying === undefined && !this.#isEnding && this.#failure === undefined
  }

  async carry(request: HandedRequest, here: CarriedHere): Promise<HandedAnswer> {
    clearTimeout(this.#idling)
    const settle = Promise.withResolvers<HandedAnswer>()
    this.#carrying = { ...here, settle }
    this.#bound = setTimeout(() => void this.end(), carriedMsMax).unref()
    const body = request.body && ownBytes(request.body)
    this.#tell({ kind: 'request', request: { ...request, body } }, body ? [body.buffer] : [])
    return settle.promise
  }

  async end(): Promise<void> {
    this.#isEnding = true
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
    else if (message.kind === 'take') this.#take(message.bytes)
    else if (message.kind === 'note') this.#server.note(message.entry)
    else if (message.kind === 'measured') this.#server.measures?.add(this, message.measured)
    else (this.#carrying ?? this.#server).log(message.level, message.fields, message.text)
  }

  /** Its write takes its turn among all writes of the server. */
  #enter(intent: Intent): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#leave = resolve
    const work = () => {
      this.#tell({ kind: 'admitted' })
      return promise
    }
    this.#server.writes.run(intent, work).catch(() => this.#tell({ kind: 'refused' }))
  }

  /** What it reads is counted with its request's body, which is here. */
  async #take(bytes: number): Promise<void> {
    try {
      await this.#carrying?.room.take(bytes)
      this.#tell({ kind: 'room' })
    } catch (error) {
      if (!(error instanceof TooManyBytes)) throw error
      this.#tell({ kind: 'no room', whose: error.whose, bytesMax: error.bytesMax })
    }
  }

  /** What it was at is done. */
  #rest(): PromiseWithResolvers<HandedAnswer> | undefined {
    const settle = this.#carrying?.settle
    this.#carrying = undefined
    clearTimeout(this.#bound)
    this.idleSince = performance.now()
    this.#idling = setTimeout(() => void this.end(), idleMsMax).unref()
    return settle
  }
}
