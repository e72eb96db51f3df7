import type { Queryable } from '../../database/queryable.ts'
import { Failure } from '../../failure.ts'
import { insertSigningKey, overlapSeconds, type SigningAlgorithm } from './signing-key.ts'

/**
 * A new key signs after this time at the earliest. Every server of the store knows it by then (they look every 2 s), so
 * that none meets a token whose key it does not know.
 */
export const rotationSecondsMin = 10
/** A new key signs after this time at the latest. */
export const rotationSecondsMax = 30 * 24 * 3600

/**
 * `next` waits, `signing` signs and verifies, `retired` verifies until `verifiesUntil`. `removed` and `expired` do nothing any more.
 */
type SigningKeyState = 'next' | 'signing' | 'retired' | 'removed' | 'expired'

/** A signing key as an operator sees it. */
export interface SigningKeyInfo {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly state: SigningKeyState
  readonly created: Date
  readonly signsFrom: Date
  /** undefined while no other key follows. */
  readonly verifiesUntil: Date | undefined
}

interface Row extends Omit<SigningKeyInfo, 'verifiesUntil'> {
  readonly number: number
  readonly verifiesUntil: Date | null
}

const listSql = `
  select kid, number, algorithm, created, signs_from as "signsFrom", verifies_until as "verifiesUntil",
    case when signs_from > now() then 'next'
         when signs_until is null or signs_until > now() then 'signing'
         when verifies_until <= now() then 'expired'
         when removed is not null then 'removed'
         else 'retired' end as state
  from (select *, signs_until + make_interval(secs => ${overlapSeconds}) as verifies_until
        from (select *, lead(signs_from) over (order by number) as signs_until from signing_key) key) key
  order by number`

/** Every key of the store, oldest first. */
export async function listSigningKeys(database: Queryable): Promise<readonly SigningKeyInfo[]> {
  const { rows } = await database.query<Row>(listSql)
  return rows.map(({ number: _, verifiesUntil, ...row }) => ({ ...row, verifiesUntil: verifiesUntil ?? undefined }))
}

/**
 * Makes the next key. It is published at once and signs after `afterSeconds`; the present one signs until then and verifies until
 * its last token has expired. Keys that do nothing any more are removed.
 * @throws Failure when a next key waits already, or another rotation runs.
 */
export async function rotateSigningKey(
  database: Queryable,
  options: { readonly algorithm: SigningAlgorithm; readonly afterSeconds: number },
): Promise<SigningKeyInfo> {
  const { rows } = await database.query<Row>(listSql)
  const waiting = rows.find(({ state }) => state === 'next')
  if (waiting) {
    throw new Failure(
      `Key ${waiting.kid} is waiting to sign from ${waiting.signsFrom.toISOString()} on.`,
      'Rotate again after that, or remove it first with: bin/millrace key remove KID',
    )
  }
  const number = Math.max(0, ...rows.map((row) => row.number)) + 1
  const kid = await insertSigningKey(database, { ...options, number })
  if (kid === undefined) {
    throw new Failure('Another rotation came in between.', 'See what it did with: bin/millrace key list')
  }
  await deleteExpired(database, rows)
  return (await listSigningKeys(database)).find((key) => key.kid === kid)!
}

/**
 * Removes a key. The tokens that a retired one has signed and that still live are refused from then on, so that has to be
 * forced: it is what to do when a key has become known.
 * @throws Failure when there is no such key, it signs, or force is needed.
 */
export async function removeSigningKey(database: Queryable, kid: string, force: boolean): Promise<SigningKeyInfo> {
  const key = (await listSigningKeys(database)).find((candidate) => candidate.kid === kid)
  if (!key) throw new Failure(`There is no key "${kid}".`, 'List the keys with: bin/millrace key list')
  if (key.state === 'signing') {
    const advice = `Let another one take its place first: bin/millrace key rotate, and ${rotationSecondsMin} seconds later remove this one.`
    throw new Failure(`Key ${kid} signs the tokens that are given now.`, advice)
  }
  if (key.state === 'retired' && !force) {
    throw new Failure(
      `Tokens that key ${kid} has signed live until ${key.verifiesUntil?.toISOString()}.`,
      'Wait until then, or refuse them from now on with --force.',
    )
  }
  if (key.state === 'next') await database.query('delete from signing_key where kid = $1 and signs_from > now()', [kid])
  else await database.query('update signing_key set removed = now(), private_jwk = null where kid = $1', [kid])
  return key
}

/** What is older than an expired key has expired too, so none of the keys that stay gets another one behind it. */
async function deleteExpired(database: Queryable, rows: readonly Row[]): Promise<void> {
  const expired = rows.filter(({ state }) => state === 'expired').map(({ kid }) => kid)
  await database.query('delete from signing_key where kid = any($1)', [expired])
}
