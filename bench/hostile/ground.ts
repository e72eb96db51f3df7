import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { addClient } from '../../src/access/registry/client.ts'
import { generateClientKey } from '../../src/access/registry/client-key.ts'
import { addTenant } from '../../src/access/registry/tenant.ts'
import type { Credentials } from '../../src/client/session/token-source.ts'
import { type Dataset, openDataset } from '../dataset.ts'
import { millrace, run } from '../program.ts'
import { BenchServer } from '../server.ts'
import { type BenchStore, filesDirectory, openStore, removeStore } from '../store.ts'

/** Of the tenant that is attacked from, and of the one that only wants to be served. */
export const hostileTenant = 'greedy'
export const quietTenant = 'quiet'

/** Clients of the hostile tenant: each may have one export at a time. */
const hostileClients = 6

const scope = 'system/*.read system/*.write system/AuditEvent.read'

/** Where attacks are made: the real program, two tenants with the same records, clients of both. */
export interface Ground {
  readonly dataset: Dataset
  readonly store: BenchStore
  readonly server: BenchServer
  readonly hostile: readonly Credentials[]
  readonly quiet: Credentials
  readonly filesDirectory: string
}

/** Prepares everything in a directory of its own, lets it be used, and leaves nothing behind. */
export async function onGround<Result>(
  out: string,
  patients: number,
  inherited: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal,
  use: (ground: Ground) => Promise<Result>,
): Promise<Result> {
  const work = join(out, 'millrace-hostile')
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true, mode: 0o700 })
  try {
    say(`dataset of ${patients} patients`)
    const dataset = await openDataset(work, patients, signal)
    const store = await openStore(work, dataset, undefined, inherited)
    const server = new BenchServer(store.environment, filesDirectory(work), undefined)
    try {
      await server.start()
      for (const id of [hostileTenant, quietTenant]) await addTenant(store.pool, { id, profile: 'hl7' })
      const hostile: Credentials[] = []
      for (let count = 0; count < hostileClients; count++) hostile.push(await register(store, hostileTenant))
      const quiet = await register(store, quietTenant)
      await fill(dataset, store, say, signal)
      return await use({ dataset, store, server, hostile, quiet, filesDirectory: filesDirectory(work) })
    } finally {
      await server.stop()
      await removeStore(work, store)
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function register({ pool }: BenchStore, tenant: string): Promise<Credentials> {
  const { privateKey, publicKey } = await generateClientKey('ES384')
  const { id } = await addClient(pool, { tenant, name: tenant, scope, keys: { jwks: { keys: [publicKey] } } })
  return { clientId: id, key: privateKey, scope }
}

/** The hostile tenant has everything, the quiet one what comes first. */
async function fill(
  { slices }: Dataset,
  { environment, pool }: BenchStore,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const [at, { directory, records }] of slices.entries()) {
    for (const tenant of at === 0 ? [hostileTenant, quietTenant] : [hostileTenant]) {
      say(`loading ${records.toLocaleString('en')} records for ${tenant}`)
      await run(millrace, ['load', '--tenant', tenant, '--json', directory], { environment, signal })
    }
  }
  await pool.query('vacuum (analyze)')
}
