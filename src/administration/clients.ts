import type { Pool } from 'pg'
import { addClient, type Client, disableClient, type Registration } from '../access/registry/client.ts'
import { deleteClient, enableClient, existingClient, replaceKeys } from '../access/registry/client-changes.ts'
import { Failure } from '../failure.ts'
import { countJobs, removeJobs } from '../jobs/tenant-jobs.ts'
import { type Administrator, administer, clientEvent } from './administer.ts'

/** A client and its exports. */
export interface ClientSummary {
  readonly client: Client
  readonly liveJobs: number
  readonly completedJobs: number
}

/** @throws Failure when there is no such client. */
export async function describeClient(pool: Pool, id: string): Promise<ClientSummary> {
  const client = await existingClient(pool, id)
  const { live, completed } = await countJobs(pool, { tenant: client.tenant, client: id })
  return { client, liveJobs: live, completedJobs: completed }
}

/** @throws Failure as `addClient` does. */
export function registerClient(pool: Pool, administrator: Administrator, registration: Registration): Promise<Client> {
  const event = (client: Client) =>
    clientEvent(client, 'client added', { name: client.name, scope: withoutQueries(client.scopes) })
  return administer(pool, administrator, event, (client) => addClient(client, registration))
}

/** The query of a granular scope may name a patient, and the trail is read by others than the store. */
const withoutQueries = (scopes: readonly string[]): string =>
  [...new Set(scopes.map((scope) => scope.replace(/\?.*/, '')))].join(' ')

/** Refuses a client from its next request on, or lets it in again. Its exports go on, and wait for it. */
export function switchClient(
  pool: Pool,
  administrator: Administrator,
  id: string,
  state: 'enabled' | 'disabled',
): Promise<Client> {
  const event = (client: Client) => clientEvent(client, `client ${state}`)
  const change = state === 'enabled' ? enableClient : disableClient
  return administer(pool, administrator, event, (connection) => change(connection, id))
}

/** Gives a client other keys, in place of the present ones or beside them. Tokens that it has stay valid until they expire. */
export function rotateKeys(
  pool: Pool,
  administrator: Administrator,
  id: string,
  change: { readonly keys: Registration['keys']; readonly keepOld: boolean },
): Promise<Client> {
  const event = (client: Client) =>
    clientEvent(client, 'client keys rotated', { old: change.keepOld ? 'kept' : 'dropped' })
  return administer(pool, administrator, event, (connection) =>
    replaceKeys(connection, id, change.keys, change.keepOld),
  )
}

/**
 * Removes a client. One that has exports, running or with files, is removed only `withJobs`, and they go with it.
 * @throws Failure when there is no such client, or it has exports and `withJobs` is not said.
 */
export async function removeClient(
  pool: Pool,
  administrator: Administrator,
  id: string,
  withJobs: boolean,
): Promise<Client> {
  const { client, liveJobs, completedJobs } = await describeClient(pool, id)
  if (!withJobs && liveJobs + completedJobs > 0) {
    throw new Failure(
      `Client ${id} has ${liveJobs} running and ${completedJobs} completed exports.`,
      'Disable it to keep them. If they shall go with it, add --with-jobs.',
    )
  }
  const event = clientEvent(client, 'client removed', { exports: liveJobs + completedJobs })
  return administer(pool, administrator, event, async (connection) => {
    await deleteClient(connection, id)
    await removeJobs(connection, { tenant: client.tenant, client: id })
    return client
  })
}
