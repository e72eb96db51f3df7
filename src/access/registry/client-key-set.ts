import { importJWK, type JWK } from 'jose'
import { Failure } from '../../failure.ts'
import { fitsAlgorithm, keyWeakness } from '../signature-algorithm.ts'
import { clientAlgorithms } from './client-key.ts'

/** Keys in one registered key set. */
const keySetKeysMax = 100
/** Characters of a key id. */
export const kidCharsMax = 256

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const advice = 'Give a JSON Web Key Set: {"keys": [public keys with kty and kid]}.'

/** The keys of a JWKS document; undefined when the value is not one. Members are not looked at. */
export function keysOf(document: unknown): readonly JWK[] | undefined {
  const keys = (document as { keys?: unknown } | null | undefined)?.keys
  if (!Array.isArray(keys) || keys.length > keySetKeysMax) return undefined
  return keys.every((key) => typeof key === 'object' && key !== null) ? (keys as JWK[]) : undefined
}

/**
 * Checks a key set that is registered inline: bare public keys with `kty` and `kid` (B3), no two that an assertion
 * could not tell apart (B11), at least one that signs RS384 or ES384. Keys for something else, such as encryption or an algorithm that is
 * not known here, are ignored, as in sets behind a URL (RFC 7517 §5).
 * @returns the keys that can be used
 * @throws Failure that names the key at fault.
 */
export async function checkKeySet(document: unknown): Promise<readonly JWK[]> {
  const keys = keysOf(document)
  if (!keys || keys.length === 0) throw new Failure('This is not a key set.', advice)
  for (const [index, key] of keys.entries()) await checkKey(key, `Key ${index + 1} of the key set`)
  const usable = keys.filter((key) => algorithmOf(key) !== undefined)
  const names = usable.map(({ kid, kty }) => JSON.stringify([kid, kty]))
  const twin = usable.find((_, index) => names.indexOf(names[index]!) !== index)
  if (twin) throw new Failure(`Two keys of the key set have the kid "${twin.kid}".`, 'Give each key its own kid.')
  if (usable.length > 0) return usable
  throw new Failure('No key of the key set can sign.', 'Add an EC key on P-384 (ES384) or an RSA key (RS384).')
}

const algorithmOf = (key: JWK) => clientAlgorithms.find((algorithm) => fitsAlgorithm(key, algorithm))

async function checkKey(key: JWK, name: string): Promise<void> {
  const secret = privateMembers.find((member) => member in key)
  if (secret !== undefined) {
    throw new Failure(`${name} is private: it has the member "${secret}".`, 'Register public keys only.')
  }
  const algorithm = algorithmOf(key)
  if (algorithm === undefined) return
  if (typeof key.kid !== 'string' || key.kid === '' || key.kid.length > kidCharsMax) {
    throw new Failure(`${name} has no kid of 1 to ${kidCharsMax} characters.`, advice)
  }
  try {
    const imported = await importJWK(key, algorithm)
    const weakness = imported instanceof Uint8Array ? 'it is symmetric' : keyWeakness(imported)
    if (weakness !== undefined) throw new Error(weakness)
  } catch (error) {
    throw new Failure(`${name} ("${key.kid}") cannot be used: ${(error as Error).message}.`, advice)
  }
}
