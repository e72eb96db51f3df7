import type { LineSink } from '../../../files/part-writer.ts'
import { comingAlong, comingAlongWhole, forThemselves } from '../../../protocol/plan/pack-use.ts'
import type { Pack } from '../../../records/packs/pack.ts'
import { lineRendererOf } from '../choice.ts'
import { lineTest } from '../line-test.ts'
import { OpenedPack } from '../packs/opened-pack.ts'
import type { Selection } from '../selection.ts'
import { latestOf, type ProvenancesOfPack, relevantOf } from './coming-provenances.ts'
import type { ExportedOfOwner, ExportedRecords } from './exported-records.ts'

/** Exports those Provenances of packs that come along: whole packs where their labels say so, else those that their columns name. */
export class ChoiceOfProvenances {
  readonly #selection: Selection
  readonly #writer: LineSink
  readonly #exported: ExportedRecords
  readonly #test: ReturnType<typeof lineTest>
  readonly #render: ReturnType<typeof lineRendererOf>
  readonly #areAlone: boolean
  readonly #comingWhole: ReturnType<typeof comingAlongWhole>

  constructor(selection: Selection, writer: LineSink, exported: ExportedRecords) {
    const { job } = selection
    this.#selection = selection
    this.#writer = writer
    this.#exported = exported
    this.#test = lineTest(job, 'Provenance')
    this.#render = lineRendererOf(job, 'Provenance')
    this.#areAlone = forThemselves(job.request)
    this.#comingWhole = comingAlongWhole(job.request)
  }

  /** @param packs all of one owner, of whose records it is known what was exported */
  addPacks(packs: readonly Pack[]): Promise<void> | undefined {
    const exported = this.#exported.of(packs[0]!.owner)
    const { request } = this.#selection.job
    const extents = packs.map((pack) =>
      this.#exported.isKnownBeforehand ? this.#comingWhole(pack) : comingAlong(request, pack, exported.extent),
    )
    const isDecided = extents.every((extent) => extent === 'none') || (!this.#test && !extents.includes('some'))
    if (isDecided && !this.#render) return this.#selection.copyWhole(this.#writer, packs, extents)
    return this.#choose(packs, exported)
  }

  async #choose(packs: readonly Pack[], exported: ExportedOfOwner): Promise<void> {
    for (const { records } of packs) this.#selection.held.scanned += records
    const opened = packs
      .filter((pack) => pack.columns !== undefined && !this.#isOutdated(pack))
      .map((pack) => new OpenedPack(this.#selection, pack))
    const coming = await this.#coming(opened, exported)
    for (const [index, pack] of opened.entries()) await this.#add(pack, coming[index]!)
  }

  /** None of them is the newest of a target; a filter may take away those that are. */
  #isOutdated({ slice }: Pack): boolean {
    return slice === 'older' && !this.#test && this.#selection.job.request.provenance === 'latest'
  }

  async #coming(opened: readonly OpenedPack[], exported: ExportedOfOwner): Promise<readonly Uint8Array[]> {
    const told: ProvenancesOfPack[] = []
    for (const pack of opened)
      told.push({ columns: pack.columns, targets: pack.pack.targets, passes: await this.#passes(pack) })
    const {
      provenance,
      since = Number.NEGATIVE_INFINITY,
      until = Number.POSITIVE_INFINITY,
    } = this.#selection.job.request
    if (provenance === 'latest') return latestOf(told, exported)
    const coming = relevantOf(told, exported)
    if (!this.#areAlone) return coming
    for (const [index, { columns, passes }] of told.entries()) {
      const { updated } = columns
      for (let entry = 0; entry < columns.count; entry++)
        if (updated[entry]! > since && updated[entry]! < until && passes(entry)) coming[index]![entry] = 1
    }
    return coming
  }

  async #passes(pack: OpenedPack): Promise<(entry: number) => boolean> {
    if (!this.#test) return () => true
    const passing = new Set<number>()
    for (const section of await pack.sections()) {
      const { entries } = await pack.choose(section, () => true, this.#test)
      for (const entry of entries) passing.add(entry)
    }
    return (entry) => passing.has(entry)
  }

  async #add(opened: OpenedPack, coming: Uint8Array): Promise<void> {
    const { pack, columns } = opened
    const shared: number[] = []
    for (let entry = columns.lines; entry < columns.count; entry++) {
      if (coming[entry] === 0) continue
      shared.push(entry)
      this.#selection.shared.add(`Provenance/${columns.sharedId(entry)}`)
    }
    this.#selection.referFrom(pack, columns, shared)
    for (const section of await opened.sections()) {
      const wanted = coming.subarray(section.start, section.end)
      if (!wanted.includes(1)) continue
      if (!wanted.includes(0) && !this.#render) await opened.copy(this.#writer, section)
      else await opened.write(this.#writer, await opened.choose(section, (entry) => coming[entry] === 1), this.#render)
    }
  }
}
