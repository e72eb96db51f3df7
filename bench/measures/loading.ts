import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { seatAt } from '../../src/population/seat.ts'
import { patientsMax } from '../../src/protocol/limits.ts'
import type { Bench } from '../bench.ts'
import { type FigureName, storeShares } from '../catalogue.ts'
import { seed } from '../dataset.ts'
import { millrace, run } from '../program.ts'
import { tenant } from '../store.ts'
import { exportFew } from './small.ts'

/** Samples that only a load can give; a kept store remembers them. */
export const loadingFigures: readonly FigureName[] = ['load', ...storeShares.map((share) => `stored-${share}` as const)]

/** Exports of three patients at each size of the store, times the rounds. The server was started anew and has made as many before. */
const exportsPerRepeat = 5

/**
 * Loads the dataset slice by slice; the command packs what it loads. After each slice the same three patients are exported, which
 * shows whether cost follows what is exported or what is stored.
 * @returns the records in the store after each slice
 */
export async function loadDataset(bench: Bench): Promise<number[]> {
  const { dataset, store, book } = bench
  const storedRecords: number[] = []
  let seconds = 0
  let records = 0
  for (const slice of dataset.slices) {
    bench.say(`loading ${slice.records.toLocaleString('en')} records, up to ${slice.share} % of the dataset`)
    seconds += await load(bench, slice.directory)
    records += slice.records
    storedRecords.push(records)
    await settle(store.pool)
    const times = exportsPerRepeat * bench.repeats
    bench.say(`exporting 3 patients ${times} times`)
    await bench.server.restart()
    for (let time = 0; time < times; time++) await exportFew(bench)
    for (let time = 0; time < times; time++) book.add(`stored-${slice.share}`, await exportFew(bench))
  }
  book.add('load', records / seconds)
  return storedRecords
}

/** Adds bare patients until there are as many as one export may name. */
export async function loadBarePatients(bench: Bench): Promise<void> {
  const count = bench.dataset.patients.length
  if (count >= patientsMax) return
  bench.say(`loading ${(patientsMax - count).toLocaleString('en')} patients without records, for the long kick-off`)
  const ids = allPatients(count).slice(count)
  const file = join(bench.work, 'bare-patients.ndjson')
  await writeFile(file, ids.map((id) => `{"resourceType":"Patient","id":"${id}","active":true}\n`).join(''))
  await load(bench, file)
  await settle(bench.store.pool)
}

/** Every patient of the store: those of the dataset, then the bare ones. */
export const allPatients = (count: number): string[] =>
  Array.from({ length: patientsMax }, (_, index) => seatAt(index, { seed, patients: count }).id)

/** @returns how long the command took, in seconds */
async function load({ store: { environment }, signal }: Bench, path: string): Promise<number> {
  return (await run(millrace, ['load', '--tenant', tenant, '--json', path], { environment, signal })).seconds
}

/** Does at once what PostgreSQL does by itself within minutes after a load, so that no measure has it by chance. */
async function settle(pool: Pool): Promise<void> {
  await pool.query('vacuum (analyze)')
  const { rows } = await pool.query<{ may: boolean }>(
    `select pg_has_role(current_user, 'pg_checkpoint', 'usage') as may`,
  )
  if (rows[0]!.may) await pool.query('checkpoint')
}
