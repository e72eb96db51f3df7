import { parentPort, workerData } from 'node:worker_threads'
import type { LineBlock } from '../source/source-lines.ts'
import { type Parsing, parseBlock } from './block-parser.ts'

/** A block to read, and the thread's answer, which comes in the same order. */
export interface ParseRequest {
  readonly bytes: Uint8Array
  readonly tooLong: boolean
  /** Memory for its rows. */
  readonly spare: Uint8Array
}

const parsing = workerData as Parsing
parentPort!.on('message', ({ bytes, tooLong, spare }: ParseRequest) => {
  const block: LineBlock = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), tooLong }
  parentPort!.postMessage(parseBlock(block, parsing, Date.now(), Buffer.from(spare.buffer)))
})
