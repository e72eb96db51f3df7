import { Worker } from 'node:worker_threads'
import { Failure } from '../../failure.ts'
import type { WrittenRows } from '../packs/fresh/written-rows.ts'
import { letGo, type OnWritten } from './batch-writer.ts'
import type { LoadFault, LoadSummary, StoredCounts } from './load-tally.ts'
import type { LoadThreadData, LoadThreadMessage } from './load-thread.ts'

/** Told while a load runs. */
export interface LoadingReport {
  readonly onFault: (fault: LoadFault) => void
  /** Bytes read from disk and counts so far, after each batch. */
  readonly onBatch: (bytes: number, counts: StoredCounts) => void
  /** Rows that have been written. The load goes on while it is at work, but not far. */
  readonly onWritten?: OnWritten
}

/** A load is a stream: with these bounds its memory is the same for one file and for a thousand, and it is as fast as with more. */
const resourceLimits = { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 320 }

/** Runs `load` in a thread of its own, whose memory is bounded. */
export function loadInThread(data: LoadThreadData, report: LoadingReport): Promise<LoadSummary> {
  const worker = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData: data, resourceLimits })
  const { onWritten = letGo } = report
  return new Promise((resolve, reject) => {
    worker.on('message', (message: LoadThreadMessage) => {
      if (message.kind === 'batch') report.onBatch(message.bytes, message.counts)
      else if (message.kind === 'written') {
        const release = () => worker.postMessage(message.number)
        onWritten(received(message.rows), release).catch((error) => {
          reject(error)
          void worker.terminate()
        })
      } else if (message.kind === 'fault') report.onFault(message.fault)
      else if (message.kind === 'failed') reject(new Failure(message.message, message.advice))
      else resolve(message.summary)
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error('the loading thread ended early')))
  })
}

/** A Buffer comes from another thread as plain bytes. */
const received = (rows: WrittenRows): WrittenRows => ({
  ...rows,
  bytes: Buffer.from(rows.bytes.buffer, rows.bytes.byteOffset, rows.bytes.length),
})
