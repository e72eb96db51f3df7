import { isOwnedType } from '../../fhir/resource-types.ts'
import type { LineSink } from '../../files/part-writer.ts'
import { asksBinaries, type Extent, extentOfTimes, isWhole } from '../../protocol/plan/pack-use.ts'
import { recordsOfOwners } from '../../records/as-of.ts'
import type { PackColumns } from '../../records/packs/columns/pack-columns.ts'
import type { PackSection } from '../../records/packs/columns/pack-sections.ts'
import type { Pack } from '../../records/packs/pack.ts'
import { hasSectionMember, sectionMember } from '../../records/packs/sections/section-key.ts'
import { PermittedBinaries } from '../references/permitted-binaries.ts'
import { lineRendererOf, rendererOf } from './choice.ts'
import { recordsInPackOrder } from './in-pack-order.ts'
import { type LineTest, lineTest } from './line-test.ts'
import type { ChosenLines } from './packs/chosen-lines.ts'
import { LineIds } from './packs/line-ids.ts'
import { OpenedPack } from './packs/opened-pack.ts'
import type { ExportedRecords } from './provenances/exported-records.ts'
import type { Selection } from './selection.ts'
import type { TypeExport } from './type-queue.ts'

/**
 * The export of one type, but Provenance.
 * @param exported notes what was exported, where that must be known
 */
export function exportOfType(
  selection: Selection,
  writer: LineSink,
  type: string,
  exported: ExportedRecords,
): TypeExport {
  const { pool, job, held, at } = selection
  const { since, until } = job.request
  const test = lineTest(job, type)
  const render = rendererOf(job, type)
  const permitted = asksBinaries(job.request, type) ? new PermittedBinaries(selection) : undefined
  const choice = new ChoiceOfType(selection, writer, type, exported)
  return {
    versions: (owners) => {
      const read = recordsOfOwners(pool, { ...at, type, owners, since, until })
      return hasSectionMember(type) ? recordsInPackOrder(read) : read
    },
    addRecords: async (read) => {
      const passing = test === undefined ? read : read.filter(({ body }) => test.passes(body))
      const records = permitted ? await permitted.among(type, passing) : passing
      if (choice.notesIds) for (const { owner, id } of records) exported.add(owner, type, [id])
      await selection.addOwn(writer, type, records, render)
      held.scanned += read.length
    },
    addPacks: (packs) => choice.addPacks(packs),
  }
}

/** How many of the lines of a section a filter lets through, as far as what they all have decides it. */
function passingOf({ told }: PackSection, test: LineTest | undefined): Extent {
  if (test === undefined) return 'all'
  const decision = told === undefined ? undefined : test.filter.decides(sectionMember, told)
  return decision === undefined ? 'some' : decision ? 'all' : 'none'
}

/** The least and the greatest meta.lastUpdated of a section. */
function timesOf({ updated }: PackColumns, { start, end }: PackSection): { oldest: number; newest: number } {
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let entry = start; entry < end; entry++) {
    oldest = Math.min(oldest, updated[entry]!)
    newest = Math.max(newest, updated[entry]!)
  }
  return { oldest, newest }
}

/** Exports packs of one type: copies those of which everything is wanted, and chooses lines of the others. */
class ChoiceOfType {
  /** Which records are exported must be known, for that decides which Provenances are. */
  readonly notesIds: boolean
  readonly #selection: Selection
  readonly #writer: LineSink
  readonly #type: string
  readonly #exported: ExportedRecords
  readonly #test: ReturnType<typeof lineTest>
  readonly #render: ReturnType<typeof lineRendererOf>
  readonly #ids: LineIds

  constructor(selection: Selection, writer: LineSink, type: string, exported: ExportedRecords) {
    const { job } = selection
    this.#selection = selection
    this.#writer = writer
    this.#type = type
    this.#exported = exported
    this.#test = lineTest(job, type)
    this.#render = lineRendererOf(job, type)
    this.#ids = new LineIds(type)
    this.notesIds = selection.includes('Provenance') && isOwnedType(type) && !isWhole(job.request, type)
  }

  addPacks(packs: readonly Pack[]): Promise<void> | undefined {
    const { request } = this.#selection.job
    const extents = packs.map((pack) => extentOfTimes(request, pack))
    const isUniform =
      packs.length === packs[0]?.total && extents.every((extent) => extent === extents[0] && extent !== 'some')
    if (this.#test !== undefined || !isUniform) return this.#choose(packs, extents)
    const [owner] = packs
    if (this.notesIds && owner && extents[0] === 'all') this.#exported.addAll(owner.owner, this.#type)
    if (this.#render !== undefined) return this.#choose(packs, extents)
    return this.#selection.copyWhole(this.#writer, packs, extents)
  }

  async #choose(packs: readonly Pack[], extents: readonly Extent[]): Promise<void> {
    for (const [index, pack] of packs.entries()) {
      this.#selection.held.scanned += pack.records
      if (extents[index] === 'none' || (pack.records === 0 && pack.shared === '')) continue
      const opened = new OpenedPack(this.#selection, pack)
      this.#noteShared(opened)
      if (pack.records === 0) continue
      for (const section of await opened.sections()) await this.#addSection(opened, section, extents[index] === 'all')
    }
  }

  /** @param ofTimes all of its records are of the times that are asked for */
  async #addSection(opened: OpenedPack, section: PackSection, ofTimes: boolean): Promise<void> {
    const passing = passingOf(section, this.#test)
    const timed = ofTimes ? 'all' : extentOfTimes(this.#selection.job.request, timesOf(opened.columns, section))
    if (passing === 'none' || timed === 'none') return
    const isWhole = passing === 'all' && timed === 'all' && this.#render === undefined
    if (isWhole && !this.notesIds) return opened.copy(this.#writer, section)
    const isWanted = timed === 'all' ? () => true : this.#isOfTimes(opened)
    const test = passing === 'all' ? undefined : this.#test
    const chosen = await opened.choose(section, isWanted, test)
    if (this.notesIds) this.#exported.add(opened.pack.owner, this.#type, this.#idsOf(chosen, opened.columns.lengths))
    if (isWhole) await opened.copy(this.#writer, section)
    else await opened.write(this.#writer, chosen, this.#render)
  }

  /** Records of other owners, too, are not in packs, which serve only where no filter asks about them. */
  #noteShared({ pack, columns }: OpenedPack): void {
    const isWanted = this.#isOfTimes({ columns })
    const shared: number[] = []
    for (let entry = columns.lines; entry < columns.count; entry++) if (isWanted(entry)) shared.push(entry)
    const ids = shared.map((entry) => columns.sharedId(entry))
    for (const id of ids) this.#selection.shared.add(`${this.#type}/${id}`)
    this.#selection.referFrom(pack, columns, shared)
    if (this.notesIds) this.#exported.add(pack.owner, this.#type, ids)
  }

  /** Tells of an entry whether its time is asked for. */
  #isOfTimes({ columns: { updated } }: Pick<OpenedPack, 'columns'>): (entry: number) => boolean {
    const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = this.#selection.job.request
    return (entry) => updated[entry]! > since && updated[entry]! < until
  }

  #idsOf({ runs, entries }: ChosenLines, lengths: Uint32Array): string[] {
    const ids: string[] = []
    for (const { lines } of runs) {
      for (let start = 0; start < lines.length; ) {
        const end = start + lengths[entries[ids.length]!]!
        ids.push(this.#ids.read(lines, start, end - 1))
        start = end
      }
    }
    return ids
  }
}
