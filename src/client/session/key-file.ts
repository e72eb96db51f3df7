import { readFile } from 'node:fs/promises'
import type { JWK } from 'jose'
import { Failure } from '../../failure.ts'
import { isObject } from './outcome.ts'

/**
 * Reads the private key of a client from a file that holds one JWK.
 * @throws Failure when the file cannot be read or holds something else.
 */
export async function readKeyFile(path: string): Promise<JWK> {
  const advice = 'Give the file that `bin/millrace client add --generate-key FILE` wrote, or another private JWK.'
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`The key file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, advice)
  }
  let key: unknown
  try {
    key = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which may be a private key.
    throw new Failure(`The key file ${path} is not JSON.`, advice)
  }
  if (!isObject(key) || typeof key.kty !== 'string') throw new Failure(`The key file ${path} holds no JWK.`, advice)
  return key as JWK
}
