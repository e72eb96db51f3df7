import type { JWK } from 'jose'

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

export const signatureAlgorithms = Object.keys(keyShapes) as SignatureAlgorithm[]
