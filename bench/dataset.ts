import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { population } from '../src/population/population.ts'
import type { PopulationRecord } from '../src/population/record.ts'
import { seatAt } from '../src/population/seat.ts'
import { writeFiles } from '../src/population/write-files.ts'
import { type StoreShare, storeShares } from './catalogue.ts'

export const seed = 1
/** The smallest dataset of which each slice has patients: the first has those of the small export. */
export const patientsMin = 40
export const smallExportPatients = 3
/** Patients from whose records one can tell that the generator makes the same as before. */
const fingerprintPatients = 3

/** Patients of the dataset that are loaded together; with the slices before, they are a share of it. */
interface Slice {
  readonly share: StoreShare
  readonly directory: string
  readonly records: number
  readonly bytes: number
}

/** A generated population, cut into slices by patient. */
export interface Dataset {
  readonly fingerprint: string
  readonly patients: readonly string[]
  readonly slices: readonly Slice[]
  readonly records: number
  readonly bytes: number
}

/** Where the dataset of this size lies. */
const directoryOf = (work: string, patients: number): string => join(work, `dataset-seed-${seed}-patients-${patients}`)

/** The dataset in the directory if it is there whole and made by the same generator, else a new one. */
export async function openDataset(work: string, count: number, signal: AbortSignal): Promise<Dataset> {
  const directory = directoryOf(work, count)
  const fingerprint = fingerprintOf(count)
  const description = join(directory, 'dataset.json')
  const known = await readFile(description, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    const slices = JSON.parse(known) as { readonly fingerprint: string; readonly slices: readonly Slice[] }
    if (slices.fingerprint === fingerprint) return datasetOf(fingerprint, count, slices.slices)
  }
  await rm(directory, { recursive: true, force: true })
  const slices = await generate(directory, count, signal)
  await writeFile(description, JSON.stringify({ fingerprint, slices }))
  return datasetOf(fingerprint, count, slices)
}

function datasetOf(fingerprint: string, count: number, slices: readonly Slice[]): Dataset {
  const options = { seed, patients: count }
  return {
    fingerprint,
    patients: Array.from({ length: count }, (_, index) => seatAt(index, options).id),
    slices,
    records: slices.reduce((sum, { records }) => sum + records, 0),
    bytes: slices.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

async function generate(directory: string, count: number, signal: AbortSignal): Promise<Slice[]> {
  const cutter = new Cutter(population({ seed, patients: count }))
  const slices: Slice[] = []
  for (const [index, share] of storeShares.entries()) {
    const folder = join(directory, `${index + 1}-up-to-${share}-percent`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const end = share === 100 ? Number.POSITIVE_INFINITY : patientsUpTo(share, count)
    const files = await writeFiles(cutter.upTo(end), folder, false, () => signal.throwIfAborted())
    slices.push({
      share,
      directory: folder,
      records: files.reduce((sum, { records }) => sum + records, 0),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    })
  }
  return slices
}

const patientsUpTo = (share: StoreShare, count: number): number =>
  Math.max(smallExportPatients, Math.ceil((count * share) / 100))

/** Cuts a population where patients begin: the Patient record comes first. */
class Cutter {
  readonly #records: Iterator<PopulationRecord>
  #held: PopulationRecord | undefined
  #patients = 0

  constructor(records: Iterator<PopulationRecord>) {
    this.#records = records
  }

  /** The records that are left of the first `patients`; what belongs to no patient goes with those around it. */
  *upTo(patients: number): Generator<PopulationRecord> {
    for (;;) {
      const record = this.#held ?? this.#records.next().value
      this.#held = undefined
      if (record === undefined) return
      if (record.type === 'Patient' && this.#patients++ === patients) {
        this.#patients -= 1
        this.#held = record
        return
      }
      yield record
    }
  }
}

function fingerprintOf(count: number): string {
  const hash = createHash('sha256').update(JSON.stringify({ seed, count, storeShares }))
  for (const { line } of population({ seed, patients: fingerprintPatients })) hash.update(line)
  return hash.digest('hex')
}
