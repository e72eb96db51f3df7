import { Worker } from 'node:worker_threads'
import type { ThreadMeasures } from '../telemetry/thread-measures.ts'
import type { EngineThreadData, FromEngineThread } from './engine-thread.ts'

/** Tells what engine threads report. */
export type ThreadLog = (event: string, details: Record<string, unknown>) => void

/** A thread that ends is replaced after this time; one that ends this often without having become ready is given up. */
const restartMs = 1_000
const restartsMax = 10

/**
 * An engine streams: what it holds is bounded by its partitions, and a young generation that is kept small is collected early. The limit of the
 * old one is no aim: near it V8 collects again and again for buffers outside of the heap (docs/decisions/0031).
 */
const resourceLimits = { maxOldGenerationSizeMb: 2048, maxYoungGenerationSizeMb: 8 }

/** Runs engine threads: exporting happens beside the thread that answers requests, so that polls stay fast. */
export class EngineThreads {
  readonly #data: EngineThreadData
  readonly #log: ThreadLog
  readonly #onGivenUp: (error: Error) => void
  readonly #measures: ThreadMeasures | undefined
  readonly #workers = new Set<Worker>()
  readonly #ready = new Set<Worker>()
  #stopping = false
  #failures = 0

  constructor(data: EngineThreadData, log: ThreadLog, onGivenUp: (error: Error) => void, measures?: ThreadMeasures) {
    this.#data = data
    this.#measures = measures
    this.#log = log
    this.#onGivenUp = onGivenUp
  }

  /** Starts the threads; resolves when all of them take tasks. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#spawn()))
  }

  /** How many threads take tasks. */
  get ready(): number {
    return this.#ready.size
  }

  #spawn(): Promise<void> {
    const worker = new Worker(new URL('./engine-thread.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits,
    })
    this.#workers.add(worker)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromEngineThread) => {
        if ('measured' in message) return this.#measures?.add(worker, message.measured)
        if (message.event !== 'ready') return this.#log(message.event, message.details ?? {})
        this.#failures = 0
        this.#ready.add(worker)
        resolve()
      })
      worker.on('error', (error) => {
        this.#log('thread-failed', { reason: error.message })
        reject(error)
      })
      worker.on('exit', () => {
        this.#workers.delete(worker)
        this.#ready.delete(worker)
        this.#measures?.forget(worker)
        if (!this.#stopping) this.#replace()
      })
    })
  }

  #replace(): void {
    if (++this.#failures > restartsMax) {
      this.#onGivenUp(new Error('the export engine cannot be started'))
      return
    }
    setTimeout(() => {
      if (!this.#stopping) this.#spawn().catch(() => {})
    }, restartMs)
  }

  /** Lets running partitions go: they are taken up again by the next process, and publish nothing twice. */
  async stop(): Promise<void> {
    this.#stopping = true
    const exits = [...this.#workers].map((worker) => new Promise((resolve) => worker.once('exit', resolve)))
    for (const worker of this.#workers) worker.postMessage('stop')
    const timer = setTimeout(() => {
      for (const worker of this.#workers) void worker.terminate()
    }, stopMsMax)
    await Promise.all(exits)
    clearTimeout(timer)
  }
}

/** A thread that has not stopped by then is ended. */
const stopMsMax = 5_000
