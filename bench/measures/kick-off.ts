import type { Bench } from '../bench.ts'
import { allPatients } from './loading.ts'

const exportsPerRound = 5

/** Kick-offs that name as many patients as an export may. The type is one, so that the rest of the export is short. */
export async function measureKickOff({ caller, dataset, book }: Bench): Promise<void> {
  const patients = allPatients(dataset.patients.length)
  for (let time = 0; time < exportsPerRound; time++) {
    const { kickOffMs, records } = await caller.export({ patients, types: ['Patient'] })
    if (records !== patients.length) throw new Error(`${patients.length} patients gave ${records} records`)
    book.add('kick-off', kickOffMs)
  }
}
