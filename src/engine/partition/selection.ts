import type { Pool } from 'pg'
import { isOpen } from '../../fhir/open-reference.ts'
import { relativeUrls, withAbsoluteUrls } from '../../fhir/relations/attachment-urls.ts'
import type { Cut } from '../../files/cut.ts'
import { type LineSink, PartWriter, type WrittenPart } from '../../files/part-writer.ts'
import type { Job } from '../../jobs/job.ts'
import type { Part } from '../../jobs/part.ts'
import { partGzipBytesMax } from '../../protocol/limits.ts'
import { comesAlong } from '../../protocol/plan/coming-along.ts'
import { tellsOpen } from '../../protocol/plan/open-references.ts'
import type { Extent } from '../../protocol/plan/pack-use.ts'
import type { RecordAsOf } from '../../records/as-of.ts'
import type { PackColumns } from '../../records/packs/columns/pack-columns.ts'
import type { Pack } from '../../records/packs/pack.ts'
import type { HeldPartition } from './held-partition.ts'
import { MetReferences } from './met-references.ts'
import { writeRendered } from './packs/rendered-lines.ts'
import type { PartitionContext } from './partition-context.ts'

/** A part with the list of the manifest it belongs to. */
export type KindedPart = WrittenPart & { readonly kind: 'output' | 'deleted' | 'error' }

/** Makes of a line what is written. */
export type RenderLine = (line: Buffer) => Buffer

/** The same of records. */
type Rendering = (records: readonly RecordAsOf[]) => readonly RecordAsOf[]

/** Gathers what one partition exports. */
export class Selection {
  readonly job: Job
  readonly held: HeldPartition
  readonly parts: KindedPart[] = []
  readonly published: readonly Part[]
  /** `Type/id` of records that come along, and marks of open references that are told. */
  readonly references = new Set<string>()
  /** `Type/id` of exported records of several owners, which the last partition writes. */
  readonly shared = new Set<string>()
  /** How much of the files was copied out of packs, and chosen out of them; all else are stored versions. */
  readonly copied: Amount = { records: 0, bytes: 0 }
  chosen: Amount = { records: 0, bytes: 0 }
  readonly #context: PartitionContext
  readonly #tells: (entry: string) => boolean
  readonly #absolute: RenderLine | undefined
  /** Nothing is noted of what records refer to. */
  readonly #notesNothing: boolean
  readonly #seenRefs = new Set<string>()
  readonly #met = new MetReferences()
  /** It gathers what stands in one block after the other. */
  #isOfBlocks = false

  /** @param published the files that this partition is to make again; none when it runs for the first time */
  constructor(context: PartitionContext, job: Job, held: HeldPartition, published: readonly Part[] = []) {
    this.#context = context
    this.job = job
    this.held = held
    this.published = published
    this.#tells = tellsOpen(job.request)
    const { base, absoluteUrls } = job.request
    this.#absolute = absoluteUrls && ((line) => withAbsoluteUrls(line, base))
    this.#notesNothing = !job.request.tellsAll && !job.request.types.some((type) => comesAlong(job.request, type))
  }

  /** One beside it that notes what the records of one patient refer to, so that it stands in their block; see `beginBlock`. */
  ofBlocks(): Selection {
    const selection = new Selection(this.#context, this.job, this.held)
    selection.#isOfBlocks = true
    selection.chosen = this.chosen
    return selection
  }

  /** Forgets what was noted. */
  beginBlock(): void {
    this.references.clear()
    this.shared.clear()
  }

  get pool(): Pool {
    return this.#context.pool
  }

  get tell(): PartitionContext['tell'] {
    return this.#context.tell
  }

  /** What every reading of the store for this partition says. */
  get at(): { readonly tenant: string; readonly asOf: number; readonly signal: AbortSignal } {
    return { tenant: this.job.tenant, asOf: this.job.transactionTime.getTime(), signal: this.held.signal }
  }

  get #hasAll(): boolean {
    return this.job.request.reach === 'system' && !this.#isOfBlocks
  }

  includes(type: string): boolean {
    return (this.job.request.types as readonly string[]).includes(type)
  }

  /** Runs `produce` with a writer for one type, and keeps the files it wrote. */
  writing(type: string, kind: KindedPart['kind'], produce: (writer: PartWriter) => Promise<void>): Promise<void> {
    return this.writingEach([type], kind, (writers) => produce(writers.get(type)!))
  }

  /** The same with a writer for each of several types. */
  async writingEach(
    types: readonly string[],
    kind: KindedPart['kind'],
    produce: (writers: ReadonlyMap<string, PartWriter>) => Promise<void>,
  ): Promise<void> {
    const { files } = this.#context
    const { folder } = this.held
    // Bundles of deletions and stored ones may come out of one partition.
    const nameOf = (type: string) => (kind === 'output' ? type : `${kind}${type}`)
    const writerOf = (type: string) =>
      new PartWriter(files, folder, type, partGzipBytesMax, this.#cutsOf(kind, type), nameOf(type))
    const writers = new Map(types.map((type) => [type, writerOf(type)]))
    try {
      await produce(writers)
      // None may write on when another one has failed, for then the folder is removed.
      const ended = await Promise.allSettled([...writers.values()].map((writer) => writer.end()))
      for (const end of ended) if (end.status === 'rejected') throw end.reason
      for (const writer of writers.values()) {
        for (const part of writer.parts) this.parts.push({ ...part, kind })
        addAmount(this.copied, writer.copied)
      }
    } catch (error) {
      for (const writer of writers.values()) writer.abandon()
      throw error
    }
  }

  /** Where the files of a type end, when they are made again. */
  #cutsOf(kind: KindedPart['kind'], type: string): readonly Cut[] | undefined {
    if (this.published.length === 0) return undefined
    return this.published.filter((part) => part.kind === kind && part.type === type)
  }

  /**
   * Writes those of records that have one owner, and notes those of several, whom several partitions may meet: the last one writes them,
   * once. What they refer to is noted, too.
   */
  async addOwn(writer: LineSink, type: string, records: readonly RecordAsOf[], render: Rendering): Promise<void> {
    for (const { id, refs } of records.filter(({ shared }) => shared)) {
      this.shared.add(`${type}/${id}`)
      this.refer(refs)
    }
    const own = records.filter(({ shared }) => !shared)
    await this.add(writer, render(own))
  }

  /** Writes records and notes what they refer to. */
  async add(writer: LineSink, records: readonly RecordAsOf[]): Promise<void> {
    await this.held.giveWay()
    this.held.signal.throwIfAborted()
    if (records.length === 0) return
    for (const { refs } of records) this.refer(refs)
    await writer.writeRecords(records.map((record) => this.written(record)))
  }

  /**
   * Copies a pack as it is, and notes what its records refer to.
   * @returns undefined when there is nothing to wait for
   */
  copy(writer: LineSink, pack: Pack): Promise<void> | undefined {
    this.held.signal.throwIfAborted()
    if (this.#isOfBlocks) this.refer(pack.refs.toString('latin1'))
    else if (!this.#notesNothing) this.#met.eachNew(pack.refs, this.#note)
    if (pack.shared !== '') for (const reference of pack.shared.split(' ')) this.shared.add(reference)
    this.held.scanned += pack.records
    if (pack.records === 0) return undefined
    const render = this.renderOf(pack)
    return render ? writeRendered(this, writer, pack, render) : writer.copy(pack)
  }

  /**
   * What is made of the lines of a pack, if they do not come out as they are stored: those with relative URLs of Attachments (IG). The others are
   * not looked at.
   */
  renderOf({ refs }: Pick<Pack, 'refs'>): RenderLine | undefined {
    return this.#absolute !== undefined && refs.includes(relativeUrls) ? this.#absolute : undefined
  }

  /** The line of a record as it comes out. */
  written({ body, refs }: Pick<RecordAsOf, 'body' | 'refs'>): Buffer {
    return this.#absolute !== undefined && refs.includes(relativeUrls) ? this.#absolute(body) : body
  }

  /**
   * Copies those packs of which everything is exported, and passes over the others.
   * @param extents of each all or nothing
   * @returns undefined when there is nothing to wait for
   */
  copyWhole(writer: LineSink, packs: readonly Pack[], extents: readonly Extent[], from = 0): Promise<void> | undefined {
    for (let index = from; index < packs.length; index++) {
      if (extents[index] === 'none') {
        this.held.scanned += packs[index]!.records
        continue
      }
      const busy = this.copy(writer, packs[index]!)
      if (busy) return busy.then(() => this.copyWhole(writer, packs, extents, index + 1))
    }
    return undefined
  }

  /** Notes what some records of a pack refer to. */
  referFrom(pack: Pack, columns: PackColumns, entries: Iterable<number>): void {
    if (this.#notesNothing || pack.refs.length === 0) return
    const refs = pack.refs.toString('latin1').split(' ')
    const lists = new Set<number>()
    for (const entry of entries) lists.add(columns.listOf(entry))
    for (const list of lists) for (const place of columns.refsOf(list)) this.#note(refs[place]!)
  }

  /**
   * Notes the referenced records of selected types (protocol §4: one hop from exported records), which a whole system has anyway, and
   * open references that are told.
   */
  refer(refs: string): void {
    if (refs === '' || this.#seenRefs.has(refs)) return
    if (this.#seenRefs.size < seenRefsMax && !this.#isOfBlocks) this.#seenRefs.add(refs)
    for (const reference of refs.split(' ')) this.#note(reference)
  }

  readonly #note = (reference: string): void => {
    if (this.references.has(reference) || !this.#isNoted(reference)) return
    // A piece of a longer text would hold all of it.
    this.references.add(Buffer.from(reference, 'latin1').toString('latin1'))
  }

  readonly #isNoted = (reference: string): boolean =>
    isOpen(reference) ? this.#tells(reference) : !this.#hasAll && this.#isSelected(reference)

  /** Notes those of blank-separated references that are open. */
  noteOpen(refs: string): void {
    for (const reference of refs.split(' ')) if (isOpen(reference)) this.#note(reference)
  }

  /** Those of blank-separated references that lead to records of selected types. */
  selected(refs: string): string[] {
    return refs.split(' ').filter((reference) => this.#isSelected(reference))
  }

  #isSelected(reference: string): boolean {
    const type = reference.slice(0, reference.indexOf('/'))
    return comesAlong(this.job.request, type) && this.includes(type)
  }
}

/** Lines, and their bytes as text. */
export interface Amount {
  records: number
  bytes: number
}

export function addAmount(sum: Amount, { records, bytes }: Readonly<Amount>): void {
  sum.records += records
  sum.bytes += bytes
}

/** Many records share one list of references; this many lists are remembered to skip them quickly. */
const seenRefsMax = 100_000
