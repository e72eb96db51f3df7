import { unlink, writeFile } from 'node:fs/promises'
import type { JWK } from 'jose'
import { Failure } from '../../failure.ts'

/**
 * Writes a private key to a new file that only its owner can read, then does the work the key is for. When the work
 * fails the file goes again.
 * @throws Failure when the file exists or cannot be written.
 */
export async function withNewKeyFile<T>(path: string, key: JWK, work: () => Promise<T>): Promise<T> {
  try {
    await writeFile(path, `${JSON.stringify(key, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      throw new Failure(`${path} exists already; a key is never overwritten.`, 'Name another file.')
    }
    throw new Failure(
      `The key cannot be written to ${path} (${code}).`,
      'Name a file in a directory that you can write.',
    )
  }
  try {
    return await work()
  } catch (error) {
    await unlink(path)
    throw error
  }
}
