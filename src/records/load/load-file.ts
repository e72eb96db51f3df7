import { isUtf8 } from 'node:buffer'
import { jsonFaultAt } from '../../fhir/json/json-fault.ts'
import { membersOf } from '../../fhir/json/json-text.ts'
import { type Draft, draftOf, draftOfLine, isTooLong, recordBytesMax } from '../draft.ts'
import { batchRecordsMax, type Place, type Step } from './batch-writer.ts'
import { type BundleTools, loadBundle } from './bundle/load-bundle.ts'
import type { PartRows } from './rows/block-parser.ts'
import type { ParserPool } from './rows/parser-pool.ts'
import type { SharedBuffers } from './shared-buffers.ts'
import { inputForm } from './source/input-form.ts'
import { type OpenSource, openSource, UnreadableSource } from './source/source-bytes.ts'
import type { SourceFile } from './source/source-files.ts'
import { isBlank, type Line, type LineBlock, lineBlocksOf, linesIn, withoutMark } from './source/source-lines.ts'
import { type Bases, mayNameSource, textAtHome } from './source-bases.ts'

/** What loading files works with. */
export interface FileTools extends BundleTools {
  /** A Bundle with an id is a record of its own, and not taken apart. */
  readonly keepBundles: boolean
  readonly onBytes: (bytes: number) => void
  readonly parsers: ParserPool
  readonly buffers: SharedBuffers
}

/** The longest JSON text that is read at once: a file, or a Bundle on a line. */
export const bundleBytesMax = 64 * 1024 * 1024

/** Lines that are read together. */
const blockBytes = 2 * 1024 * 1024

const tooLongAdvice = 'split the Bundle, or write its resources as NDJSON, one on a line'

/** Loads one file, whatever form it has, and says what it was taken for. */
export async function loadFile(tools: FileTools, file: SourceFile): Promise<void> {
  const { tally } = tools
  try {
    const source = await openSource(file, tools.onBytes)
    const form = inputForm(source.head.toString('latin1'), source.isWhole, file.ending)
    const gzip = source.gzip ? ', gzip' : ''
    const took = (what: string) => tally.files.add({ file: file.path, form: `${what}${gzip}` })
    if (form === 'lines') took(await loadLines(tools, file, source))
    else if (form === 'whole') took(await loadWhole(tools, file, source))
    else if (file.named || file.ending !== undefined) {
      took(form === 'empty' ? 'empty' : 'neither NDJSON nor JSON')
      if (form !== 'empty') tally.fault({ file: file.path, place: '', reason: 'neither NDJSON nor JSON' }, 0)
    } else tally.passedOver.add(file.path)
  } catch (error) {
    if (!(error instanceof UnreadableSource)) throw error
    tally.fault({ file: file.path, place: 'the rest of the file', reason: `cannot be read: ${error.message}` }, 0)
  }
}

async function loadLines(tools: FileTools, file: SourceFile, { chunks }: OpenSource): Promise<string> {
  const lines = new FileLines(tools, file)
  const blocks = lineBlocksOf(chunks, tools.buffers, blockBytes, bundleBytesMax)
  for await (const { block, parts } of tools.parsers.parsed(blocks, () => tools.writer.expectsNew)) {
    let left = parts.length
    const done = () => {
      if (--left === 0) tools.buffers.give(block.bytes)
    }
    for (const { start, end, rows } of parts) {
      await lines.add({ ...block, bytes: block.bytes.subarray(start, end) }, rows, done)
    }
  }
  const { count, form } = lines
  return count === 1 && form !== '' ? form : `NDJSON, ${count} ${count === 1 ? 'line' : 'lines'}`
}

/** Loads the lines of one file. */
class FileLines {
  readonly #tools: FileTools
  readonly #file: SourceFile
  /** Lines that were seen, blank ones too. */
  #seen = 0
  count = 0
  /** What the last one was that was no record. */
  form = ''

  constructor(tools: FileTools, file: SourceFile) {
    this.#tools = tools
    this.#file = file
  }

  /**
   * @param rows the same lines, if they have been read and are records that are probably new
   * @param done is called when the block is needed no more
   */
  async add(block: LineBlock, rows: PartRows | undefined, done: () => void): Promise<void> {
    const { held, writer, buffers } = this.#tools
    if (!rows || !held.isEmpty) {
      if (rows) buffers.give(rows.records.bytes)
      await this.#addText(block)
      await writer.begin()
      return done()
    }
    const first = this.#seen
    this.#seen += rows.lines
    this.count += rows.records.count
    await writer.addRows(rows, () => this.#steps(block, first), done)
  }

  /** Lines that are records and nothing else, as changes. */
  #steps(block: LineBlock, first: number): Step[] {
    let number = first
    const steps: Step[] = []
    for (const line of linesIn(block, bundleBytesMax)) {
      const found = this.#read(line)
      const at = { file: this.#file.path, place: `line ${++number}` }
      if (found === undefined) continue
      if (typeof found === 'string' || 'special' in found) throw new Error('a line was a record and is none')
      steps.push({ kind: 'put', draft: found.draft, at })
    }
    return steps
  }

  async #addText(block: LineBlock): Promise<void> {
    const { writer, held, tally } = this.#tools
    let steps: Step[] = []
    const give = async () => {
      await writer.add(steps)
      steps = []
    }
    for (const line of linesIn(block, bundleBytesMax)) {
      const found = this.#read(line)
      const at = { file: this.#file.path, place: `line ${++this.#seen}` }
      if (found === undefined) continue
      this.count++
      if (typeof found === 'string') tally.fault({ ...at, reason: found }, 1)
      else if ('special' in found) {
        await give()
        this.form = await loadSpecial(this.#tools, found.special, found.text, at)
      } else if (hasToWait(this.#tools, found.draft)) await held.hold({ kind: 'put', ...kept(found), at })
      else steps.push({ kind: 'put', draft: found.draft, at })
      if (steps.length === batchRecordsMax) await give()
    }
    await give()
  }

  /** Undefined for a blank line. */
  #read({ bytes }: Line): ReadRecord | Special | string | undefined {
    const text = bytes && withoutMark(bytes)
    return text && isBlank(text) ? undefined : readLine(this.#tools, text)
  }
}

/** A text that is not simply a record. */
interface Special {
  readonly special: Outline
  readonly text: string
}

/** A record, and the text that it was made from. */
interface ReadRecord {
  readonly draft: Draft
  readonly text: Buffer
}

/** A record that is kept longer than the memory that its text stands in. */
const kept = ({ draft, text }: ReadRecord): ReadRecord => ({ draft, text: Buffer.from(text) })

/** A record, something else, or why it is nothing that can be loaded. */
function readLine(tools: FileTools, bytes: Buffer | undefined): ReadRecord | Special | string {
  if (!bytes) return `longer than ${bundleBytesMax} bytes; ${tooLongAdvice}`
  if (!isUtf8(bytes)) return 'not UTF-8'
  const draft = draftOfLine(bytes, tools.bases.own)
  // Of a record that was read nothing has to be asked but its type, and most lines are records.
  if (!('fault' in draft) && draft.type !== 'Bundle') return atHome(draft, bytes, tools.bases)
  const text = bytes.toString()
  const outline = outlineOf(text)
  if (outline && isSpecial(tools, outline)) return { special: outline, text }
  return 'fault' in draft ? draft.fault : atHome(draft, bytes, tools.bases)
}

/**
 * A record in the words of the store: what it refers to under a base of its source is a record of the tenant. A Bundle that is kept
 * stays as it is, for its entries are known to one another by their URLs.
 */
function atHome(draft: Draft, text: Buffer, bases: Bases): ReadRecord | string {
  if (draft.type === 'Bundle' || !mayNameSource(text, bases)) return isTooLong(draft) ? tooLong : { draft, text }
  const source = text.toString()
  const renamed = textAtHome(source, bases)
  if (renamed === source) return isTooLong(draft) ? tooLong : { draft, text }
  const local = draftOf(renamed, bases.own)
  if ('fault' in local) return local.fault
  return isTooLong(local) ? tooLong : { draft: local, text: Buffer.from(renamed) }
}

/** Whether a record refers by identifiers, or another change of it does that has not come to its turn. */
const hasToWait = ({ held }: FileTools, { conditional, key }: Draft): boolean => conditional || held.mayHold(key)

const tooLong = `longer than ${recordBytesMax} bytes`

async function loadWhole(tools: FileTools, file: SourceFile, { chunks }: OpenSource): Promise<string> {
  const at = { file: file.path, place: '' }
  const failed = (reason: string): string => {
    tools.tally.fault({ ...at, reason }, 1)
    return 'JSON'
  }
  const bytes = await readWhole(chunks)
  if (bytes === undefined) return failed(`longer than ${bundleBytesMax} bytes; ${tooLongAdvice}`)
  if (!isUtf8(bytes)) return failed('not UTF-8')
  const text = withoutMark(bytes).toString()
  const outline = outlineOf(text)
  if (outline && isSpecial(tools, outline)) return loadSpecial(tools, outline, text, at)
  if (outline && outline.resourceType === undefined && !file.named) {
    tools.tally.passedOver.add(file.path)
    return 'JSON that is no resource, passed over'
  }
  const draft = draftOf(text, tools.bases.own)
  const read = 'fault' in draft ? draft.fault : atHome(draft, Buffer.from(text), tools.bases)
  if (typeof read === 'string') return failed(read)
  if (hasToWait(tools, read.draft)) await tools.held.hold({ kind: 'put', ...read, at })
  else await tools.writer.add([{ kind: 'put', draft: read.draft, at }])
  return `one ${read.draft.type}`
}

/** The members of a resource that say how it is to be loaded. */
interface Outline {
  readonly resourceType: unknown
  readonly id: unknown
  readonly type: unknown
}

/** Reads them without making anything of the rest; undefined for what is no JSON object, or nests too deep. */
function outlineOf(text: string): Outline | undefined {
  if (!/^\s*\{/.test(text) || jsonFaultAt(text) !== undefined) return undefined
  const members = membersOf(text)
  if (!members) return undefined
  const value = (key: string): unknown => {
    const member = members.find((candidate) => candidate.key === key)
    return member && JSON.parse(text.slice(member.valueStart, member.valueEnd))
  }
  return { resourceType: value('resourceType'), id: value('id'), type: value('type') }
}

/** Without an id they are no records: what `error` files of exports have, and what begins a block of one patient. */
const noRecords: ReadonlySet<unknown> = new Set(['OperationOutcome', 'Parameters'])

function isSpecial({ keepBundles }: FileTools, { resourceType, id }: Outline): boolean {
  if (noRecords.has(resourceType)) return id === undefined
  return resourceType === 'Bundle' && (id === undefined || !keepBundles)
}

/** @returns what it was */
async function loadSpecial(
  tools: FileTools,
  { resourceType, type }: Outline,
  text: string,
  at: Place,
): Promise<string> {
  if (noRecords.has(resourceType)) {
    tools.tally.counts.notRecords++
    return `one ${resourceType}`
  }
  await loadBundle(tools, text, type, at)
  return typeof type === 'string' && /^[a-z-]{1,40}$/.test(type) ? `Bundle of type ${type}` : 'Bundle'
}

async function readWhole(chunks: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const found: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > bundleBytesMax) return undefined
    found.push(chunk)
  }
  return Buffer.concat(found)
}
