import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { addTenant } from '../../src/access/registry/tenant.ts'
import { BenchServer } from '../server.ts'
import { percentile } from '../statistics.ts'
import { type BenchStore, filesDirectory, openStore, removeStore } from '../store.ts'
import { BundleWriter } from './bundle-writer.ts'
import { type BundleKind, bundleRecords, patientBundles } from './patient-bundles.ts'
import { type ProcessorTime, processorTime } from './processor-time.ts'

const clients = 8
const tenants = ['first', 'second', 'third', 'fourth'] as const
/** Bundles of each client that do not count. */
const warmUps = 5

/** What is sent, to how many tenants. */
interface Setting {
  readonly label: string
  readonly bundles: BundleKind
  readonly tenants: number
}

const settings: readonly Setting[] = [
  { label: 'POST, one tenant', bundles: { method: 'POST', withProvenances: false }, tenants: 1 },
  { label: 'POST, four tenants', bundles: { method: 'POST', withProvenances: false }, tenants: 4 },
  { label: 'POST with Provenances, four tenants', bundles: { method: 'POST', withProvenances: true }, tenants: 4 },
  { label: 'PUT, four tenants', bundles: { method: 'PUT', withProvenances: false }, tenants: 4 },
  { label: 'PUT with Provenances, four tenants', bundles: { method: 'PUT', withProvenances: true }, tenants: 4 },
]

/** One line of the table. */
export interface BundleResult {
  readonly label: string
  readonly records: number
  readonly bytes: number
  readonly seconds: number
  /** Of one Bundle. */
  readonly ms: { readonly median: number; readonly p99: number }
  /** Of one record, in microseconds; undefined where the system does not tell. */
  readonly processorMicros: ProcessorTime | undefined
}

/** How many clients load by transaction Bundles, and how many records a second they get written together. */
export async function measureBundles(
  out: string,
  bundles: number,
  inherited: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly BundleResult[]> {
  const work = join(out, 'millrace-bundles')
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true, mode: 0o700 })
  const store = await openStore(work, { fingerprint: '' }, undefined, inherited)
  const server = new BenchServer(store.environment, filesDirectory(work), undefined)
  try {
    await server.start()
    for (const id of tenants) await addTenant(store.pool, { id, profile: 'hl7' })
    const results: BundleResult[] = []
    let firstPatient = 0
    for (const setting of settings) {
      say(setting.label)
      const sent = [...patientBundles(setting.bundles, firstPatient).take(bundles + clients * warmUps)]
      // No two settings send the same patients.
      firstPatient += 3 * sent.length
      results.push(await measure(setting, sent, store, server, signal))
    }
    return results
  } finally {
    await server.stop()
    await removeStore(work, store)
    await rm(work, { recursive: true, force: true })
  }
}

async function measure(
  { label, tenants: count }: Setting,
  bundles: readonly Buffer[],
  store: BenchStore,
  server: BenchServer,
  signal: AbortSignal,
): Promise<BundleResult> {
  const writers = await Promise.all(
    Array.from({ length: clients }, (_, at) => writerOf(tenants[at % count]!, store, server, signal)),
  )
  const left = bundles.values()
  const sendAll = async (some: Iterable<Buffer>, ms: number[]) => {
    const next = some[Symbol.iterator]()
    const one = async (writer: BundleWriter) => {
      for (let { value, done } = next.next(); !done; { value, done } = next.next()) {
        signal.throwIfAborted()
        ms.push(await writer.send(value!))
      }
    }
    await Promise.all(writers.map(one))
  }
  try {
    await sendAll(left.take(clients * warmUps), [])
    const counted = bundles.slice(clients * warmUps)
    const before = await processorTime(server.pid, store.pool)
    const begun = performance.now()
    const ms: number[] = []
    await sendAll(counted, ms)
    const seconds = (performance.now() - begun) / 1_000
    const after = await processorTime(server.pid, store.pool)
    const records = counted.length * bundleRecords
    return {
      label,
      records,
      bytes: counted.reduce((sum, { length }) => sum + length, 0),
      seconds,
      ms: { median: percentile(ms, 50), p99: percentile(ms, 99) },
      processorMicros: before && after && spentOn(records, before, after),
    }
  } finally {
    for (const writer of writers) writer.close()
  }
}

function spentOn(records: number, before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  const micros = (who: keyof ProcessorTime) => ((after[who] - before[who]) * 1_000) / records
  return {
    server: micros('server'),
    requestThreads: micros('requestThreads'),
    database: micros('database'),
    clients: micros('clients'),
  }
}

async function writerOf(tenant: string, { pool }: BenchStore, { url }: BenchServer, signal: AbortSignal) {
  const { privateKey, publicKey } = await generateClientKey('ES384')
  const scope = 'system/*.write'
  const { id } = await addClient(pool, { tenant, name: tenant, scope, keys: { jwks: { keys: [publicKey] } } })
  const writer = new BundleWriter(`${url}/r4/${tenant}`, { clientId: id, key: privateKey, scope }, signal)
  await writer.begin()
  return writer
}
