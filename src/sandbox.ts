import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JWK } from 'jose'
import type { Pool } from 'pg'
import { findClient } from './access/registry/client.ts'
import { generateClientKey } from './access/registry/client-key.ts'
import { withNewKeyFile } from './access/registry/new-key-file.ts'
import { findTenant } from './access/registry/tenant.ts'
import { operator } from './administration/administer.ts'
import { registerClient } from './administration/clients.ts'
import { createTenant } from './administration/tenants.ts'
import { population } from './population/population.ts'
import { draftOf } from './records/draft.ts'
import type { StoredCounts } from './records/load/load-tally.ts'
import { storeDrafts } from './records/load/store-drafts.ts'

/** The tenant of the operation's page (S-52). */
export const sandboxTenant = 'ec2458f2-1e24-41c8-b71b-0e701af7583d'

/** The population of the demo and the sandbox: it holds the page's patients and Groups. */
export const sandboxPopulation = { patients: 200, seed: 1, pagePatients: true } as const

/** Puts the sandbox's tenant and population into a store; a record of it that was changed is put back. */
export async function fillSandbox(pool: Pool, onBatch: (counts: StoredCounts) => void): Promise<StoredCounts> {
  if (!(await findTenant(pool, sandboxTenant))) {
    await createTenant(pool, operator(), { id: sandboxTenant, profile: 'millennium' })
  }
  return storeDrafts(pool, sandboxTenant, sandboxDrafts(), true, onBatch)
}

function* sandboxDrafts() {
  for (const { line, type, id } of population(sandboxPopulation)) {
    const draft = draftOf(line, [])
    if ('fault' in draft) throw new Error(`the generated ${type}/${id} cannot be stored: ${draft.fault}`)
    yield draft
  }
}

/** A client of the sandbox and the file with its private key. */
export interface SandboxClient {
  readonly clientId: string
  readonly keyFile: string
}

/**
 * The sandbox's client: the one whose key file lies in the directory, or a new one.
 * The key file names the client, so that a later start finds both.
 */
export async function sandboxClient(pool: Pool, directory: string): Promise<SandboxClient> {
  const keyFile = join(directory, 'sandbox-client.jwk.json')
  const known = await readFile(keyFile, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    const { client_id: clientId } = JSON.parse(known) as { client_id?: string }
    if (clientId !== undefined && (await findClient(pool, clientId))) return { clientId, keyFile }
  }
  const { privateKey, publicKey } = await generateClientKey('ES384')
  const keys = { jwks: { keys: [publicKey] } }
  const registration = { tenant: sandboxTenant, name: 'sandbox', scope: 'system/*.read system/*.write', keys }
  const { id: clientId } = await registerClient(pool, operator(), registration)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await withNewKeyFile(keyFile, { ...privateKey, client_id: clientId } as JWK, async () => {})
  return { clientId, keyFile }
}
