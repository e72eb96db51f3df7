import { type Bench, patientsOf } from '../bench.ts'
import type { FinishedExport } from '../caller.ts'
import { type Moments, type Shape, shapeNames, shapes } from '../shapes.ts'
import { median } from '../statistics.ts'
import { tenant } from '../store.ts'

/** Exports before those that count, of each shape: the first ones run code that has not been compiled yet. */
const warmUps = 2

/** No record of a store is as old. */
const beforeAll = '1970-01-02T00:00:00Z'

/** Exports of all patients in many shapes, each held against one of everything just before it, and the first export of a server. */
export class ShapedExports {
  #moments: Moments | undefined

  async measure(bench: Bench): Promise<void> {
    this.#moments ??= { before: beforeAll, middle: await middleOf(bench) }
    const { server, book } = bench
    await server.restart()
    const first = await exportOf(bench, {})
    await warmUp(bench, this.#moments)
    const later: number[] = []
    for (const name of shapeNames) {
      const everything = await exportOf(bench, {})
      later.push(everything.seconds)
      const shaped = await exportOf(bench, shapes[name].wish(this.#moments))
      if (shaped.records === 0) throw new Error(`an export of ${shapes[name].label} gave no record`)
      book.add('shape-everything', everything.seconds * 1000)
      book.add(`shape-${name}`, shaped.seconds / everything.seconds)
      book.add(`shape-files-${name}`, shaped.manifest.files.length)
    }
    book.add('shape-first', first.seconds / median(later))
    const peak = await server.peakMegabytes()
    if (peak !== undefined) book.add('shape-memory', peak)
  }
}

async function warmUp(bench: Bench, moments: Moments): Promise<void> {
  for (let count = 0; count < warmUps; count++) {
    await exportOf(bench, {})
    for (const name of shapeNames) await exportOf(bench, (shapes[name] as Shape).wish(moments))
  }
}

const exportOf = ({ caller, dataset }: Bench, wish: ReturnType<Shape['wish']>): Promise<FinishedExport> =>
  caller.export({ ...wish, patients: patientsOf(dataset, 100) })

/** Just before half of the records that are exported were there: those that came last may have come together. */
async function middleOf({ store, dataset }: Bench): Promise<string> {
  const { rows } = await store.pool.query<{ middle: Date }>(
    `select percentile_disc(0.5) within group (order by updated) as middle from millrace.record
     where tenant = $1 and owner = any ($2) and superseded = 'infinity' and not deleted`,
    [tenant, dataset.patients],
  )
  return new Date(rows[0]!.middle.getTime() - 1).toISOString()
}
