import { Worker } from 'node:worker_threads'
import type { EngineThreadData } from './engine-thread.ts'

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
  readonly #workers = new Set<Worker>()
  #stopping = false
  #failures = 0

  constructor(data: EngineThreadData, log: ThreadLog, onGivenUp: (error: Error) => void) {
    this.#data = data
    this.#log = log
    this.#onGivenUp = onGivenUp
  }

  /** Starts the threads; resolves when all of them take tasks. */
  async start(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#spawn()))
  }

  #spawn(): Promise<void> {
    const worker = new Worker(new URL('./engine-thread.ts', import.meta.url), {
      workerData: this.#data,
      resourceLimits,
    })
    this.#workers.add(worker)
    return new Promise((resolve, reject) => {
      worker.on('message', ({ event, details }: { event: string; details?: Record<string, unknown> }) => {
        if (event !== 'ready') return this.#log(event, details ?? {})
        this.#failures = 0
        resolve()
      })
      worker.on('error', (error) => {
        this.#log('thread-failed', { reason: error.message })
        reject(error)
      })
      worker.on('exit', () => {
        this.#workers.delete(worker)
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
