import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { addTenant } from '../access/registry/tenant.ts'
import { tokenSecondsDefault } from '../access/tokens/access-token.ts'
import { type App, startApp } from '../app.ts'
import { runExport } from '../client/export.ts'
import type { ExportEvent, ExportSummary } from '../client/report.ts'
import { fhirBase } from '../fhir/service-urls.ts'
import { population } from '../population/population.ts'
import { writeFiles } from '../population/write-files.ts'
import { loadInThread } from '../records/load/load-in-thread.ts'
import { findSourceFiles } from '../records/load/source/source-files.ts'
import { sandboxClient, sandboxPopulation, sandboxTenant } from '../sandbox.ts'
import { expectedCounts } from './expected.ts'

/** How many of the patients the demo exports; the page's three are among them. */
const exportedPatients = 100

/** What the demo shows of itself while it runs. */
export interface DemoReport {
  readonly step: (text: string) => void
  readonly event: (event: ExportEvent) => void
}

/** What the demo did, for the reader. */
export interface DemoResult {
  readonly generated: { readonly records: number; readonly bytes: number; readonly seconds: number }
  readonly loaded: { readonly records: number; readonly seconds: number }
  readonly summary: ExportSummary
  readonly manifest: string
  /** One record of each type, as exported. */
  readonly samples: ReadonlyMap<string, string>
  /** Types whose number of records is not the expected one. */
  readonly wrong: readonly string[]
}

/** Runs a whole export in a temporary directory: the server, a population, real HTTP, real files. Removes everything at the end. */
export async function runDemo(report: DemoReport, signal: AbortSignal): Promise<DemoResult> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  try {
    report.step('Starting the server on an embedded PostgreSQL')
    const app = await startApp({
      store: { kind: 'embedded', directory: join(directory, 'data') },
      host: '127.0.0.1',
      port: 0,
      files: join(directory, 'files'),
      freeDiskBytes: 0,
      threads: 1,
      concurrency: 2,
      outbound: { privateAddresses: false },
      tokenSeconds: tokenSecondsDefault,
      log: pino({ level: 'silent' }),
    })
    try {
      return await demonstrate(app, directory, report, signal)
    } finally {
      await app.close()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function demonstrate(app: App, directory: string, report: DemoReport, signal: AbortSignal): Promise<DemoResult> {
  report.step(`Server at ${app.publicUrl}; generating ${sandboxPopulation.patients} patients`)
  const source = join(directory, 'population')
  await mkdir(source)
  const generatedAt = performance.now()
  const files = await writeFiles(population(sandboxPopulation), source, false, () => {})
  const generated = {
    records: files.reduce((sum, file) => sum + file.records, 0),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    seconds: secondsSince(generatedAt),
  }

  const { pool } = app.database
  report.step(`Loading ${generated.records} records into tenant ${sandboxTenant}`)
  await addTenant(pool, { id: sandboxTenant, profile: 'millennium' })
  const loadedAt = performance.now()
  const base = fhirBase(app.publicUrl, sandboxTenant)
  const data = {
    connection: app.database.connection,
    tenant: sandboxTenant,
    files: (await findSourceFiles([source])).files,
    options: { bases: [base], keepLastUpdated: true },
  }
  const { counts } = await loadInThread(data, { onFault: () => {}, onBatch: () => {} })
  const loaded = { records: counts.created, seconds: secondsSince(loadedAt) }

  report.step('Registering a client')
  const { clientId, keyFile } = await sandboxClient(pool, directory)
  const key = JSON.parse(await readFile(keyFile, 'utf8'))

  const patients = await patientIds(source)
  report.step(`Exporting ${patients.length} patients: POST ${base}/Patient/$export`)
  const order = { selection: { patients }, types: [], typeFilters: [], since: undefined, includeAssociatedData: [] }
  const out = join(directory, 'export')
  const summary = await runExport({ base, credentials: { clientId, key }, order, directory: out, signal }, report.event)

  report.step('Comparing with what was generated')
  const expected = expectedCounts(population(sandboxPopulation), new Set(patients))
  const manifest = JSON.stringify(JSON.parse(await readFile(join(out, 'export.json'), 'utf8')).manifest, null, 2)
  return {
    generated,
    loaded,
    summary,
    manifest,
    samples: await firstLines(summary),
    wrong: differences(expected, summary),
  }
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000

async function patientIds(source: string): Promise<string[]> {
  const lines = (await readFile(join(source, 'Patient.ndjson'), 'utf8')).trimEnd().split('\n')
  return lines.slice(0, exportedPatients).map((line) => (JSON.parse(line) as { id: string }).id)
}

async function firstLines(summary: ExportSummary): Promise<Map<string, string>> {
  const samples = new Map<string, string>()
  for (const { type, path } of summary.files) {
    if (!samples.has(type)) samples.set(type, (await readFile(path, 'utf8')).split('\n', 1)[0]!)
  }
  return samples
}

function differences(expected: ReadonlyMap<string, number>, summary: ExportSummary): string[] {
  const found = new Map<string, number>()
  for (const { type, count } of summary.files) found.set(type, (found.get(type) ?? 0) + count)
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((type) => (expected.get(type) ?? 0) !== (found.get(type) ?? 0))
    .map((type) => `${type}: ${found.get(type) ?? 0} exported, ${expected.get(type) ?? 0} expected`)
}
