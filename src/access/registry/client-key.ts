import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import type { SignatureAlgorithm } from '../signature-algorithm.ts'

/** The algorithms of client assertions (B4). */
export const clientAlgorithms = ['ES384', 'RS384'] as const satisfies readonly SignatureAlgorithm[]
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
