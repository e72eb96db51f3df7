import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Queryable } from '../../database/queryable.ts'

const secretName = 'administrator'
const credentialBytes = 32
/** Characters of a credential that are looked at; ours are shorter. */
const credentialCharsMax = 256

/** Says what it is to whoever finds it, and to scanners for leaked secrets. */
const credentialPrefix = 'millrace-admin-'

/** SHA-256 is enough for a secret of 256 random bits: there is nothing to guess from. */
const hashOf = (credential: string): Buffer => createHash('sha256').update(credential).digest()

const newCredential = (): string => credentialPrefix + randomBytes(credentialBytes).toString('base64url')

/** Makes the administrator's credential of a store that has none; the first of all servers gets it, to print it once. Only its hash is kept. */
export async function createAdministrator(database: Queryable): Promise<string | undefined> {
  const credential = newCredential()
  const { rowCount } = await database.query('insert into secret (name, value) values ($1, $2) on conflict do nothing', [
    secretName,
    hashOf(credential),
  ])
  return rowCount === 1 ? credential : undefined
}

/** Makes a new credential in place of the present one, which is refused from the next request on. */
export async function resetAdministrator(database: Queryable): Promise<string> {
  const credential = newCredential()
  await database.query(
    'insert into secret (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
    [secretName, hashOf(credential)],
  )
  return credential
}

/** Whether an `Authorization` header carries the store's credential, as a bearer token. Compared in constant time. */
export async function isAdministrator(database: Queryable, authorization: string | undefined): Promise<boolean> {
  const given = /^bearer +(\S+) *$/i.exec((authorization ?? '').slice(0, credentialCharsMax))?.[1]
  if (given === undefined) return false
  const { rows } = await database.query<{ value: Buffer }>('select value from secret where name = $1', [secretName])
  return rows[0] !== undefined && timingSafeEqual(rows[0].value, hashOf(given))
}
