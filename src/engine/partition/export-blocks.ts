import { isOwnedType, isTargetType } from '../../fhir/resource-types.ts'
import type { LineSink, PartWriter } from '../../files/part-writer.ts'
import { isWhole } from '../../protocol/plan/pack-use.ts'
import { provenancesOfOwners, type RecordAsOf, recordsOfOwner, recordsWithIds } from '../../records/as-of.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { ReferencedRecords } from '../references/referenced-records.ts'
import { Block } from './block.ts'
import { shapesOf } from './choice.ts'
import { exportOfType } from './export-type.ts'
import { provenancesInPackOrder, typesInPackOrder } from './in-pack-order.ts'
import { packsByOwner } from './packs/packs-by-owner.ts'
import { exportOfProvenances, wantedProvenances } from './provenances/export-provenances.ts'
import { ExportedRecords } from './provenances/exported-records.ts'
import type { Selection } from './selection.ts'
import type { TypeExport } from './type-queue.ts'

/**
 * Exports the records of a partition's owners in blocks, one for each patient (`organizeOutputBy=Patient`). What belongs to several
 * patients, and what comes along because records refer to it, stands in the block of every one of these patients. The files are of no one
 * type; they go by the name of what each block begins with.
 */
export async function exportBlocks(selection: Selection): Promise<void> {
  await selection.writing('Parameters', 'output', async (writer) => {
    const blocks = new Blocks(selection, writer)
    for await (const { owner, packs } of packsByOwner(selection, blocks.types)) {
      await selection.held.giveWay()
      selection.held.signal.throwIfAborted()
      await blocks.add(owner, packs)
    }
  })
}

/** The blocks of one partition, one after the other. */
class Blocks {
  /** In the order in which they stand in a block; but for what is referred to, which comes last. */
  readonly types: readonly string[]
  readonly #selection: Selection
  readonly #writer: PartWriter
  readonly #referenced: ReferencedRecords
  readonly #shapeOf: ReturnType<typeof shapesOf>
  /** What is exported of the present owner. */
  readonly #exported: ExportedRecords
  readonly #ofBlocks: Selection
  readonly #exports: ReadonlyMap<string, TypeExport>
  #block: Block

  constructor(selection: Selection, writer: PartWriter) {
    const { request } = selection.job
    const owned = request.types.filter((type) => isOwnedType(type) && type !== 'Provenance')
    this.types = [...owned, ...(selection.includes('Provenance') ? ['Provenance'] : [])]
    this.#selection = selection
    this.#writer = writer
    this.#shapeOf = shapesOf(selection.job)
    this.#referenced = new ReferencedRecords(selection, this.#shapeOf)
    const targets = owned.filter(isTargetType)
    const whole = new Set<string>(targets.filter((type) => isWhole(request, type)))
    this.#exported = new ExportedRecords(whole, whole.size < targets.length)
    this.#ofBlocks = selection.ofBlocks()
    this.#block = new Block(writer, '')
    const sink: LineSink = {
      copy: (lines) => this.#block.copy(lines),
      writeRuns: (runs) => this.#block.writeRuns(runs),
      writeRecords: (records) => this.#block.writeRecords(records),
    }
    this.#exports = new Map(
      this.types.map((type) => [
        type,
        type === 'Provenance'
          ? exportOfProvenances(this.#ofBlocks, sink, this.#exported)
          : exportOfType(this.#ofBlocks, sink, type, this.#exported),
      ]),
    )
  }

  async add(owner: string, packs: ReadonlyMap<string, readonly Pack[]> | undefined): Promise<void> {
    this.#block = new Block(this.#writer, owner)
    const { refs, shared } = packs ? await this.#addPacks(packs) : await this.#addVersions(owner)
    await this.#addShared(shared)
    const reached = await this.#referenced.reached(owner, refs)
    await this.#block.writeRecords(reached.map(({ body }) => body))
  }

  async #addPacks(packs: ReadonlyMap<string, readonly Pack[]>): Promise<BlockNotes> {
    this.#ofBlocks.beginBlock()
    this.#exported.clear()
    for (const [type, { addPacks }] of this.#exports) {
      const ofType = packs.get(type)
      if (ofType && ofType.length > 0) await addPacks(ofType)
    }
    return { refs: [...this.#ofBlocks.references], shared: [...this.#ofBlocks.shared] }
  }

  async #addVersions(owner: string): Promise<BlockNotes> {
    const { job, held, pool, at } = this.#selection
    const exported = new ExportedRecords(new Set(), true)
    const refs = new Set<string>()
    const shared: string[] = []
    const types = this.types.filter((type) => type !== 'Provenance')
    const { since, until } = job.request
    const read = recordsOfOwner(pool, { ...at, owner, types, since, until })
    for await (const { type, records: found } of typesInPackOrder(read)) {
      const records = this.#shapeOf(type).choose(found)
      const ids = records.map(({ id }) => id)
      exported.add(owner, type, ids)
      for (const record of records) refs.add(record.refs)
      shared.push(...keysOfShared(type, records))
      await this.#addRecords(type, records.filter(isAlone))
      held.scanned += found.length
    }
    if (!this.types.includes('Provenance')) return { refs, shared }
    const { has } = exported.of(owner)
    const all = () => provenancesOfOwners(pool, { ...at, owners: [owner] })
    for await (const records of wantedProvenances(this.#selection, has, all, provenancesInPackOrder(all()))) {
      for (const record of records) refs.add(record.refs)
      shared.push(...keysOfShared('Provenance', records))
      await this.#addRecords('Provenance', records.filter(isAlone))
      held.scanned += records.length
    }
    return { refs, shared }
  }

  /** Records of several patients, which are not in packs: they stand in the block of each, after the others. */
  async #addShared(shared: readonly string[]): Promise<void> {
    const byType = Map.groupBy(shared, typeOf)
    const { pool, at } = this.#selection
    for (const type of this.types) {
      const ids = (byType.get(type) ?? []).map((key) => key.slice(type.length + 1)).sort()
      for (let start = 0; start < ids.length; start += sharedIdsMax) {
        const some = ids.slice(start, start + sharedIdsMax)
        for await (const records of recordsWithIds(pool, { ...at, type, ids: some }))
          await this.#addRecords(type, records)
      }
    }
  }

  async #addRecords(type: string, records: readonly RecordAsOf[]): Promise<void> {
    await this.#selection.held.giveWay()
    const rendered = this.#shapeOf(type).render(records)
    await this.#block.writeRecords(rendered.map((record) => this.#selection.written(record)))
  }
}

/** What is to come after the records of an owner alone: lists of references, and `Type/id` of records of several owners. */
interface BlockNotes {
  readonly refs: Iterable<string>
  readonly shared: readonly string[]
}

/** Records of several owners that are read at a time. */
const sharedIdsMax = 1_000

const typeOf = (key: string): string => key.slice(0, key.indexOf('/'))

const isAlone = ({ shared }: RecordAsOf): boolean => !shared

const keysOfShared = (type: string, records: readonly RecordAsOf[]): string[] =>
  records.flatMap(({ id, shared }) => (shared ? [`${type}/${id}`] : []))
