import { randomUUID } from 'node:crypto'
import { onePatient } from '../../src/population/population.ts'
import type { PopulationRecord } from '../../src/population/record.ts'
import { patientsMax } from '../../src/population/record-ids.ts'
import { seed } from '../dataset.ts'

/** Records of one Bundle. */
export const bundleRecords = 100
/** How many of them are Provenances, where there are any. */
const provenances = 30

/** How the records of a Bundle are written: under ids that the server gives, or under their own. */
type Method = 'POST' | 'PUT'

export interface BundleKind {
  readonly method: Method
  readonly withProvenances: boolean
}

/**
 * Transaction Bundles as clients send them: each with the records of one patient, and with references to one another, by `urn:uuid:` where
 * they are posted. Patients who have fewer records are left out.
 */
export function* patientBundles({ method, withProvenances }: BundleKind, firstPatient: number): Generator<Buffer> {
  for (let at = firstPatient; at < patientsMax; at++) {
    const all = [...onePatient({ seed, patients: patientsMax }, at)]
    const others = all.filter(({ type }) => type !== 'Provenance')
    const chosen = withProvenances ? [...others.slice(0, bundleRecords - provenances), ...of(all, others)] : others
    if (chosen.length >= bundleRecords) yield bundleOf(chosen.slice(0, bundleRecords), method)
  }
}

/** Provenances all of whose targets are among the records that come with them. */
function of(all: readonly PopulationRecord[], others: readonly PopulationRecord[]): PopulationRecord[] {
  const keys = new Set(others.slice(0, bundleRecords - provenances).map(({ type, id }) => `${type}/${id}`))
  return all.filter(({ type, line }) => type === 'Provenance' && targetsOf(line).every((key) => keys.has(key)))
}

const targetsOf = (line: string): string[] =>
  (JSON.parse(line) as { target: { reference?: string }[] }).target.map(({ reference = '' }) => reference)

function bundleOf(records: readonly PopulationRecord[], method: Method): Buffer {
  const urls = new Map(records.map(({ type, id }) => [`${type}/${id}`, `urn:uuid:${randomUUID()}`]))
  const entries = records.map(({ type, id, line }) => {
    if (method === 'PUT') return entryOf(`https://source.example/fhir/${type}/${id}`, line, method, `${type}/${id}`)
    return entryOf(urls.get(`${type}/${id}`)!, renamed(line, urls), method, type)
  })
  return Buffer.from(`{"resourceType":"Bundle","type":"transaction","entry":[${entries.join(',')}]}`)
}

const entryOf = (fullUrl: string, resource: string, method: Method, url: string): string =>
  `{"fullUrl":"${fullUrl}","resource":${resource},"request":{"method":"${method}","url":"${url}"}}`

const renamed = (line: string, urls: ReadonlyMap<string, string>): string =>
  line.replaceAll(
    /("reference"\s*:\s*")([^"]+)"/g,
    (whole, before, name) => `${urls.has(name) ? before + urls.get(name) : whole.slice(0, -1)}"`,
  )
