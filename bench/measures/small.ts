import type { Bench } from '../bench.ts'
import { smallExportPatients } from '../dataset.ts'

const exportsPerRound = 10

/** The export of three patients. @returns milliseconds from kick-off to manifest */
export async function exportFew({ caller, dataset }: Bench): Promise<number> {
  const { seconds } = await caller.export({ patients: dataset.patients.slice(0, smallExportPatients) })
  return seconds * 1000
}

export async function measureSmall(bench: Bench): Promise<void> {
  for (let time = 0; time < exportsPerRound; time++) {
    const ms = await exportFew(bench)
    bench.book.add('small', ms)
    bench.book.add('small-p99', ms)
  }
}
