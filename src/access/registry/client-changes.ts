import type { JWK } from 'jose'
import type { Queryable } from '../../database/queryable.ts'
import { Failure } from '../../failure.ts'
import { type Client, findClient, type Registration } from './client.ts'
import { checkKeySet } from './client-key-set.ts'
import { checkServerUrl } from './server-url.ts'

/**
 * The client of that id.
 * @throws Failure when there is none.
 */
export async function existingClient(database: Queryable, id: string): Promise<Client> {
  const client = await findClient(database, id)
  if (client) return client
  throw new Failure(`There is no client "${id}".`, 'List the clients with: bin/millrace client list --tenant TENANT')
}

/** Lets a disabled client in again. */
export async function enableClient(database: Queryable, id: string): Promise<Client> {
  await existingClient(database, id)
  await database.query('update client set disabled = null where id = $1', [id])
  return existingClient(database, id)
}

/** Forgets a client: its id is never given again, its tokens are refused from the next request on. */
export async function deleteClient(database: Queryable, id: string): Promise<void> {
  await existingClient(database, id)
  await database.query('delete from client where id = $1', [id])
}

/**
 * Gives a client other keys, or a secret. `keepOld` keeps the present ones beside them, so that the application can change over; it needs key sets
 * that are registered inline, the old and the new one.
 * @throws Failure when there is no such client, or the keys are not acceptable.
 */
export async function replaceKeys(
  database: Queryable,
  id: string,
  keys: Registration['keys'],
  keepOld: boolean,
): Promise<Client> {
  const client = await existingClient(database, id)
  const old = keepOld ? keptKeys(client.keys, keys) : []
  const jwks = 'jwks' in keys ? { keys: await checkKeySet(joined(old, keys.jwks)) } : null
  const url = 'jwksUrl' in keys ? checkServerUrl(keys.jwksUrl, 'key set') : null
  const hash = 'secretHash' in keys ? keys.secretHash : null
  await database.query('update client set jwks = $2, jwks_url = $3, secret_hash = $4 where id = $1', [
    id,
    jwks,
    url,
    hash,
  ])
  return existingClient(database, id)
}

function keptKeys(old: Client['keys'], keys: Registration['keys']) {
  if (old.kind === 'inline' && 'jwks' in keys) return old.keys
  throw new Failure(
    'Old keys can be kept only beside new ones that are registered inline as well.',
    'Publish both keys under the URL, or leave --keep-old out.',
  )
}

/** The new set with the old keys in front; a document that is no key set is left for the check to refuse. */
function joined(old: readonly JWK[], jwks: unknown): unknown {
  const { keys } = (jwks ?? {}) as { keys?: unknown }
  return old.length > 0 && Array.isArray(keys) ? { keys: [...old, ...keys] } : jwks
}
