import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { Queryable } from './queryable.ts'

/** The algorithm of our own access tokens. */
export const signingAlgorithm = 'ES384'

/** The keys of access tokens: one signs, all verify, by kid. `published` holds the public keys as they are served. */
export interface SigningKeys {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly verifiers: ReadonlyMap<string, CryptoKey>
  readonly published: readonly JWK[]
}

interface Row {
  readonly kid: string
  readonly current: boolean
  readonly private_jwk: JWK
  readonly public_jwk: JWK
}

/** Loads the keys of the store. The first call of all servers makes the first key, exactly one. */
export async function loadSigningKeys(database: Queryable): Promise<SigningKeys> {
  let rows = await readRows(database)
  if (!rows.some(({ current }) => current)) {
    await addCurrentKey(database)
    rows = await readRows(database)
  }
  const signer = rows.find(({ current }) => current)
  if (!signer) throw new Error('the store has no current signing key')
  const verifiers = await Promise.all(
    rows.map(async ({ kid, public_jwk }) => [kid, await importKey(public_jwk)] as const),
  )
  return {
    kid: signer.kid,
    privateKey: await importKey(signer.private_jwk),
    verifiers: new Map(verifiers),
    published: rows.map(({ public_jwk }) => public_jwk),
  }
}

async function readRows(database: Queryable): Promise<readonly Row[]> {
  const { rows } = await database.query<Row>(
    'select kid, current, private_jwk, public_jwk from signing_key order by created, kid',
  )
  return rows
}

async function addCurrentKey(database: Queryable): Promise<void> {
  const pair = await generateKeyPair(signingAlgorithm, { extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(publicJwk)
  const names = { kid, alg: signingAlgorithm, use: 'sig' }
  await database.query(
    `insert into signing_key (kid, algorithm, private_jwk, public_jwk, current) values ($1, $2, $3, $4, true)
     on conflict (current) where current do nothing`,
    [kid, signingAlgorithm, { ...(await exportJWK(pair.privateKey)), ...names }, { ...publicJwk, ...names }],
  )
}

async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, signingAlgorithm)
  if (key instanceof Uint8Array) throw new Error(`signing key ${jwk.kid} is symmetric`)
  return key
}
