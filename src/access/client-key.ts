import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'

/** The algorithms of client assertions (B4). */
export const clientAlgorithms = ['ES384', 'RS384'] as const
export type ClientAlgorithm = (typeof clientAlgorithms)[number]

export const isClientAlgorithm = (text: unknown): text is ClientAlgorithm =>
  clientAlgorithms.some((algorithm) => algorithm === text)

const rsaBits = 3072

/** A new key pair. Both halves carry `kid` (the RFC 7638 thumbprint), `alg` and `use`. */
export async function generateClientKey(
  algorithm: ClientAlgorithm,
): Promise<{ readonly privateKey: JWK; readonly publicKey: JWK }> {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: rsaBits })
  const publicJwk = await exportJWK(pair.publicKey)
  const names = { kid: await calculateJwkThumbprint(publicJwk), alg: algorithm, use: 'sig' }
  return { privateKey: { ...(await exportJWK(pair.privateKey)), ...names }, publicKey: { ...publicJwk, ...names } }
}

/** True when the key's type and curve fit the algorithm, and the key does not say it is for something else. */
export function fitsAlgorithm(key: JWK, algorithm: ClientAlgorithm): boolean {
  const shape = algorithm === 'ES384' ? key.kty === 'EC' && key.crv === 'P-384' : key.kty === 'RSA'
  const purpose = (key.use ?? 'sig') === 'sig' && (key.alg ?? algorithm) === algorithm
  return shape && purpose && (!Array.isArray(key.key_ops) || key.key_ops.includes('verify'))
}
