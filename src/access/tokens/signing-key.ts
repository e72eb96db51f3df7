import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Queryable } from '../../database/queryable.ts'

/** The algorithms that our own access tokens may have; the first is that of a store's first key. */
export const signingAlgorithms = ['ES384', 'ES256'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/**
 * How long a key verifies after another one signs in its place: the longest life of a token (570 s), and some for clocks and for
 * servers that see the change late.
 */
export const overlapSeconds = 660

/** The public half of a key. */
interface Verifier {
  readonly algorithm: SigningAlgorithm
  readonly key: CryptoKey
}

/** The keys of access tokens: one signs, all verify, by kid. `published` holds the public keys as they are served. */
export interface SigningKeys {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: CryptoKey
  readonly verifiers: ReadonlyMap<string, Verifier>
  readonly published: readonly JWK[]
}

interface Row {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly private_jwk: JWK
  readonly public_jwk: JWK
  readonly begun: boolean
}

/** Keys that may verify, oldest first. The database's clock decides, so that all servers agree. */
const readSql = `
  select kid, algorithm, private_jwk, public_jwk, signs_from <= now() as begun
  from (select *, lead(signs_from) over (order by number) as signs_until from signing_key) key
  where removed is null and (signs_until is null or now() < signs_until + make_interval(secs => ${overlapSeconds}))
  order by number`

/** Loads the keys of the store. The first call of all servers makes the first key, exactly one. */
export async function loadSigningKeys(database: Queryable): Promise<SigningKeys> {
  let { rows } = await database.query<Row>(readSql)
  if (rows.length === 0) {
    await insertSigningKey(database, { algorithm: signingAlgorithms[0], number: 1, afterSeconds: 0 })
    rows = (await database.query<Row>(readSql)).rows
  }
  // The first key of a store may be read by a statement that began just before it was made: nobody else can sign then.
  const signer = rows.findLast(({ begun }) => begun) ?? rows[0]
  if (!signer) throw new Error('the store has no signing key')
  const verifiers = await Promise.all(
    rows.map(async ({ kid, algorithm, public_jwk }) => {
      return [kid, { algorithm, key: await importKey(public_jwk, algorithm) }] as const
    }),
  )
  return {
    kid: signer.kid,
    algorithm: signer.algorithm,
    privateKey: await importKey(signer.private_jwk, signer.algorithm),
    verifiers: new Map(verifiers),
    published: rows.map(({ public_jwk }) => public_jwk),
  }
}

/** Makes a key and stores it under a number, unless there is one of that number already. Returns its kid, if it was stored. */
export async function insertSigningKey(
  database: Queryable,
  key: { readonly algorithm: SigningAlgorithm; readonly number: number; readonly afterSeconds: number },
): Promise<string | undefined> {
  const { algorithm, number, afterSeconds } = key
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(publicJwk)
  const names = { kid, alg: algorithm, use: 'sig' }
  const privateJwk = { ...(await exportJWK(pair.privateKey)), ...names }
  const { rowCount } = await database.query(
    `insert into signing_key (kid, algorithm, private_jwk, public_jwk, number, signs_from)
     values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6)) on conflict (number) do nothing`,
    [kid, algorithm, privateJwk, { ...publicJwk, ...names }, number, afterSeconds],
  )
  return rowCount === 1 ? kid : undefined
}

async function importKey(jwk: JWK, algorithm: SigningAlgorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm)
  if (key instanceof Uint8Array) throw new Error(`signing key ${jwk.kid} is symmetric`)
  return key
}
