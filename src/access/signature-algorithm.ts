import type { CryptoKey, JWK } from 'jose'

/** The key that each algorithm takes: its type and, where there are several, its curve. No `none`, nothing symmetric (B4). */
const keyShapes = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
} as const satisfies Record<string, { kty: string; crv?: string }>

/** An algorithm of signatures that can be checked here. */
export type SignatureAlgorithm = keyof typeof keyShapes

/** True when the key's type and curve fit the algorithm, and the key does not say it is for something else. */
export function fitsAlgorithm(key: JWK, algorithm: SignatureAlgorithm): boolean {
  const shape: { readonly kty: string; readonly crv?: string } = keyShapes[algorithm]
  const purpose = (key.use ?? 'sig') === 'sig' && (key.alg ?? algorithm) === algorithm
  const operation = !Array.isArray(key.key_ops) || key.key_ops.includes('verify')
  return key.kty === shape.kty && (shape.crv === undefined || key.crv === shape.crv) && purpose && operation
}

const rsaBitsMin = 2048
/** No program makes exponents that are longer; checking a signature with one would take long. */
const exponentBytesMax = 8

/**
 * What makes a public key useless as a proof, whatever its owner thinks; undefined for all others. With the exponent 1 every text is its own
 * signature, and one that is even is no RSA.
 */
export function keyWeakness({ algorithm }: CryptoKey): string | undefined {
  if (!('modulusLength' in algorithm)) return undefined
  const { modulusLength, publicExponent } = algorithm as unknown as {
    modulusLength: number
    publicExponent: Uint8Array
  }
  if (modulusLength < rsaBitsMin) return 'the modulus is too short'
  const exponent = publicExponent.subarray(publicExponent.findIndex((byte) => byte !== 0))
  const isOne = exponent.length === 1 && exponent[0] === 1
  if (isOne || (exponent.at(-1) ?? 0) % 2 === 0) return 'the exponent is 1 or even'
  return exponent.length > exponentBytesMax ? 'the exponent is too long' : undefined
}

export const signatureAlgorithms = Object.keys(keyShapes) as SignatureAlgorithm[]
