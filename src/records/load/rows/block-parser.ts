import { isUtf8 } from 'node:buffer'
import { type Draft, draftOfLine, isTooLong } from '../../draft.ts'
import type { NewRecords } from '../../write/new/new-records.ts'
import { NewRecordsBuilder } from '../../write/new/new-records-builder.ts'
import { batchTargetsMax } from '../batch-writer.ts'
import { isUnkeepable, withoutTime } from '../kept-time.ts'
import { SharedBuffers } from '../shared-buffers.ts'
import { isBlank, type LineBlock, linesIn, withoutMark } from '../source/source-lines.ts'
import { type Bases, mayNameSource } from '../source-bases.ts'
import { hashedKeysMax, KeyHashes } from './key-hashes.ts'

/** A longer record is not one of many; its length counts for each of its owners. */
const textBytesMax = 1024 * 1024

/** Fewer rows are not worth a transaction of their own. */
const rowsMin = 100

/** Where a block changes more often between records and other lines, the rest of it is left to others. */
const changesMax = 8

/** How lines become rows. */
export interface Parsing {
  readonly tenant: string
  readonly bases: Bases
  readonly keepLastUpdated: boolean
  /** The longest line. */
  readonly lineBytesMax: number
}

/** Some lines of a block, one after the other. */
export interface BlockPart {
  /** From the beginning of the first line to that of the line behind the last. */
  readonly start: number
  readonly end: number
  /** What they are, where all are distinct records that say everything themselves. */
  readonly rows?: PartRows
}

export interface PartRows {
  readonly records: NewRecords
  /** Of the records' keys: the slots of `KeyHashes`. */
  readonly keys: Int32Array
  /** Blank ones too. */
  readonly lines: number
  /** Records whose time cannot be kept. */
  readonly timesReplaced: number
}

/** All lines of a block, and nothing about them. */
export const unparsed = ({ bytes }: LineBlock): BlockPart => ({ start: 0, end: bytes.length })

/**
 * Reads the lines of a block, in order.
 * @param now milliseconds since 1970
 * @param spare memory for the first rows
 */
export function parseBlock(block: LineBlock, parsing: Parsing, now: number, spare: Buffer): readonly BlockPart[] {
  if (block.tooLong || !isUtf8(block.bytes)) return [unparsed(block)]
  const parser = new BlockParser(parsing, now, spare)
  let at = 0
  for (const { bytes, end } of linesIn(block, parsing.lineBytesMax)) {
    parser.add(bytes, at)
    at = end
  }
  return parser.finish(block.bytes.length)
}

class BlockParser {
  readonly #parsing: Parsing
  readonly #now: number
  readonly #parts: BlockPart[] = []
  #start = 0
  #lines = 0
  #changes = 0
  /** Of the part that is being read; undefined where it is no rows. */
  #builder: NewRecordsBuilder | undefined
  #keys = new KeyHashes()
  #timesReplaced = 0
  readonly #buffers = new SharedBuffers()

  constructor(parsing: Parsing, now: number, spare: Buffer) {
    this.#parsing = parsing
    this.#now = now
    this.#builder = this.#newBuilder(spare)
  }

  /** @param at where the line begins */
  add(line: Buffer | undefined, at: number): void {
    if (!line || !isBlank(line)) this.#addText(line && withoutMark(line), at)
    this.#lines++
  }

  #addText(line: Buffer | undefined, at: number): void {
    const draft = line && this.#changes < changesMax ? plainDraft(line, this.#parsing) : undefined
    const goesOn = draft ? this.#builder !== undefined && this.#takes(this.#builder, draft) : !this.#builder
    if (!goesOn) this.#change(at, draft)
    if (draft) this.#builder!.add(this.#timed(draft))
  }

  #takes(builder: NewRecordsBuilder, draft: Draft): boolean {
    if (builder.count === hashedKeysMax || builder.targets > batchTargetsMax) return false
    return builder.takes(draft) && this.#keys.add(draft.key)
  }

  #change(at: number, draft: Draft | undefined): void {
    this.#end(at)
    this.#changes++
    this.#builder = draft && this.#newBuilder(this.#buffers.take(0))
    this.#keys = new KeyHashes()
    if (draft) this.#keys.add(draft.key)
  }

  #newBuilder(buffer: Buffer): NewRecordsBuilder {
    const { tenant, keepLastUpdated } = this.#parsing
    return new NewRecordsBuilder(tenant, keepLastUpdated, buffer)
  }

  #timed(draft: Draft): Draft {
    if (!this.#parsing.keepLastUpdated || !isUnkeepable(draft, this.#now)) return draft
    this.#timesReplaced++
    return withoutTime(draft)
  }

  #end(at: number): void {
    if (at > this.#start) this.#parts.push({ start: this.#start, end: at, ...this.#rows() })
    this.#start = at
    this.#lines = 0
    this.#timesReplaced = 0
  }

  #rows(): Pick<BlockPart, 'rows'> {
    if (!this.#builder || this.#builder.count < rowsMin) return {}
    const [keys, lines, timesReplaced] = [this.#keys.slots, this.#lines, this.#timesReplaced]
    return { rows: { records: this.#builder.finish(), keys, lines, timesReplaced } }
  }

  finish(end: number): readonly BlockPart[] {
    this.#end(end)
    return this.#parts
  }
}

/** The record on a line, if it says everything itself. */
function plainDraft(line: Buffer, { bases }: Parsing): Draft | undefined {
  if (line.length > textBytesMax || mayNameSource(line, bases)) return undefined
  const draft = draftOfLine(line, bases.own)
  if ('fault' in draft || draft.type === 'Bundle' || draft.conditional || isTooLong(draft)) return undefined
  return line.length * (draft.owners?.length ?? 1) > textBytesMax ? undefined : draft
}
