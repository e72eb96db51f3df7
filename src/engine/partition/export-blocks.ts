import { isOwnedType } from '../../fhir/resource-types.ts'
import type { PartWriter } from '../../files/part-writer.ts'
import { provenancesOfOwners, recordsOfOwner } from '../../records/as-of.ts'
import { ReferencedRecords } from '../references/referenced-records.ts'
import { Block } from './block.ts'
import { shapesOf } from './choice.ts'
import { wantedProvenances } from './provenances/export-provenances.ts'
import { ExportedRecords } from './provenances/exported-records.ts'
import type { Selection } from './selection.ts'

/**
 * Exports the records of a partition's owners in blocks, one for each patient (`organizeOutputBy=Patient`). What belongs to several
 * patients, and what comes along because records refer to it, stands in the block of every one of these patients. The files are of no one type; they go by the name of what each block begins with.
 */
export async function exportBlocks(selection: Selection): Promise<void> {
  const shapeOf = shapesOf(selection.job)
  const referenced = new ReferencedRecords(selection, shapeOf)
  await selection.writing('Parameters', 'output', async (writer) => {
    for (const owner of selection.held.partition.owners)
      await exportBlock(selection, shapeOf, referenced, writer, owner)
  })
}

async function exportBlock(
  selection: Selection,
  shapeOf: ReturnType<typeof shapesOf>,
  referenced: ReferencedRecords,
  writer: PartWriter,
  owner: string,
): Promise<void> {
  const { job, held, pool, at } = selection
  const block = new Block(writer, owner)
  const exported = new ExportedRecords(new Set(), true)
  const refs = new Set<string>()
  const types = job.request.types.filter((type) => isOwnedType(type) && type !== 'Provenance')
  const { since, until } = job.request
  for await (const { type, records: read } of recordsOfOwner(pool, { ...at, owner, types, since, until })) {
    await held.giveWay()
    const { choose, render } = shapeOf(type)
    const records = choose(read)
    exported.add(
      owner,
      type,
      records.map(({ id }) => id),
    )
    for (const record of records) refs.add(record.refs)
    await block.write(render(records))
    held.scanned += read.length
  }
  if (selection.includes('Provenance')) {
    const { has } = exported.of(owner)
    const all = () => provenancesOfOwners(pool, { ...at, owners: [owner] })
    for await (const records of wantedProvenances(selection, has, all, all())) {
      for (const record of records) refs.add(record.refs)
      await block.write(shapeOf('Provenance').render(records))
      held.scanned += records.length
    }
  }
  held.signal.throwIfAborted()
  await block.write(await referenced.reached(refs))
}
