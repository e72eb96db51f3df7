import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { Failure } from '../../failure.ts'
import type { LoadFault, LoadSummary, StoredCounts } from './load-tally.ts'
import type { LoadThreadData, LoadThreadMessage } from './load-thread.ts'

/** Told while a load runs. */
export interface LoadingReport {
  readonly onFault: (fault: LoadFault) => void
  /** Bytes read from disk and counts so far, after each batch. */
  readonly onBatch: (bytes: number, counts: StoredCounts) => void
}

/** A load is a stream: with these bounds its memory is the same for one file and for a thousand, and it is as fast as with more. */
const resourceLimits = { maxYoungGenerationSizeMb: 48, maxOldGenerationSizeMb: 320 }

/**
 * How much a heap may grow before it is collected again. Bytes of records lie outside the heap but count as part of it, so that with
 * V8's own choice a load collects everything ten times a second, for a sixth of its processor time. The limits above stand.
 * It holds for the whole process from then on.
 */
const heapGrowingPercent = 300

/** Runs `load` in a thread of its own, whose memory is bounded. */
export function loadInThread(data: LoadThreadData, report: LoadingReport): Promise<LoadSummary> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`)
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData: data, resourceLimits })
  return new Promise((resolve, reject) => {
    worker.on('message', (message: LoadThreadMessage) => {
      if (message.kind === 'batch') report.onBatch(message.bytes, message.counts)
      else if (message.kind === 'fault') report.onFault(message.fault)
      else if (message.kind === 'failed') reject(new Failure(message.message, message.advice))
      else resolve(message.summary)
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error('the loading thread ended early')))
  })
}
