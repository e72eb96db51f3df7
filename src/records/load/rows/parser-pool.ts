import { Worker } from 'node:worker_threads'
import type { SharedBuffers } from '../shared-buffers.ts'
import type { LineBlock } from '../source/source-lines.ts'
import { type BlockPart, type Parsing, parseBlock, unparsed } from './block-parser.ts'
import type { ParseRequest } from './parse-thread.ts'

/** A block and its lines in order. */
export interface ParsedBlock {
  readonly block: LineBlock
  readonly parts: readonly BlockPart[]
}

/** Rows are made of bytes, so little stays on the heap. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 128 }

/** Blocks that a thread has to read: one is on its way while it reads another. */
const blocksOfThread = 2

/** Reads blocks in some threads. */
export class ParserPool {
  readonly #parsing: Parsing
  readonly #count: number
  readonly #buffers: SharedBuffers
  readonly #threads: ParseThread[] = []
  #next = 0

  /** @param threads none: blocks are read where they are asked for */
  constructor(parsing: Parsing, threads: number, buffers: SharedBuffers) {
    this.#parsing = parsing
    this.#buffers = buffers
    this.#count = threads
  }

  /**
   * Reads blocks ahead, and gives them in their order.
   * @param wanted whether it is worth it: the others are given as they came
   */
  async *parsed(blocks: AsyncIterable<LineBlock>, wanted: () => boolean): AsyncGenerator<ParsedBlock> {
    const ahead: Promise<ParsedBlock>[] = []
    try {
      for await (const block of blocks) {
        const parses = wanted()
        const aheadMax = parses ? this.#count * blocksOfThread : 0
        const parsed = parses ? this.#parse(block) : Promise.resolve({ block, parts: [unparsed(block)] })
        parsed.catch(() => {})
        ahead.push(parsed)
        while (ahead.length > aheadMax) yield await ahead.shift()!
      }
      while (ahead.length > 0) yield await ahead.shift()!
    } finally {
      await Promise.allSettled(ahead)
    }
  }

  async #parse(block: LineBlock): Promise<ParsedBlock> {
    const spare = this.#buffers.take(0)
    if (this.#count === 0) return { block, parts: parseBlock(block, this.#parsing, Date.now(), spare) }
    const index = this.#next++ % this.#count
    this.#threads[index] ??= new ParseThread(this.#parsing)
    return { block, parts: await this.#threads[index].parse(block, spare) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.close()))
  }
}

class ParseThread {
  readonly #worker: Worker
  readonly #waiting: PromiseWithResolvers<readonly BlockPart[]>[] = []

  constructor(parsing: Parsing) {
    this.#worker = new Worker(new URL('./parse-thread.ts', import.meta.url), { workerData: parsing, resourceLimits })
    this.#worker.on('message', (parts: readonly BlockPart[]) => this.#waiting.shift()!.resolve(parts.map(received)))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('a thread that reads lines ended early')))
  }

  parse({ bytes, tooLong }: LineBlock, spare: Buffer): Promise<readonly BlockPart[]> {
    const waiting = Promise.withResolvers<readonly BlockPart[]>()
    this.#waiting.push(waiting)
    this.#worker.postMessage({ bytes, tooLong, spare } satisfies ParseRequest)
    return waiting.promise
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** A Buffer comes from another thread as plain bytes. */
function received(part: BlockPart): BlockPart {
  if (!part.rows) return part
  const { bytes } = part.rows.records
  const records = { ...part.rows.records, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) }
  return { ...part, rows: { ...part.rows, records } }
}
