import { answerBytesMax } from '../../src/client/limits.ts'
import { onePatient } from '../../src/population/population.ts'
import { type Bench, patientsOf } from '../bench.ts'
import { answerTo } from '../caller.ts'
import { type Share, shares } from '../catalogue.ts'
import { seed, smallExportPatients } from '../dataset.ts'

/** Of so many patients one has changed: all of them are in each of the shares. */
const patientsPerChange = 1_000

/** Exports of what was changed after an earlier export: at first nothing, then a few Patient records. */
export async function measureSince(bench: Bench): Promise<void> {
  const few = bench.dataset.patients.slice(0, smallExportPatients)
  const since = (await bench.caller.export({ patients: few })).manifest.transactionTime
  for (const share of shares) {
    const { records, ms } = await exportSince(bench, share, since)
    if (records > 0) throw new Error(`nothing has changed since ${since}, but ${records} records were exported`)
    bench.book.add(`unchanged-${share}`, ms)
  }
  const changed = await changeFew(bench, since)
  for (const share of shares) {
    const { records, ms } = await exportSince(bench, share, since)
    if (records < changed) throw new Error(`${changed} records have changed, but ${records} were exported`)
    bench.book.add(`changed-${share}`, ms)
  }
}

async function exportSince({ caller, dataset }: Bench, share: Share, since: string) {
  const { records, seconds } = await caller.export({ patients: patientsOf(dataset, share), since })
  return { records, ms: seconds * 1000 }
}

/** Writes a new version of some Patient records. @returns how many */
async function changeFew({ caller, dataset }: Bench, text: string): Promise<number> {
  const options = { seed, patients: dataset.patients.length }
  const entry: object[] = []
  for (let index = 0; index < options.patients; index += patientsPerChange) {
    const [patient] = onePatient(options, index)
    const resource = { ...JSON.parse(patient!.line), address: [{ text: `since ${text}` }] }
    entry.push({ resource, request: { method: 'PUT', url: `Patient/${patient!.id}` } })
  }
  const headers = { accept: 'application/fhir+json', 'content-type': 'application/fhir+json' }
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry })
  const call = { method: 'POST', url: caller.base, headers, body, token: 'same-origin' } as const
  await caller.inSession((session) => answerTo(session, call, 200, answerBytesMax))
  return entry.length
}
