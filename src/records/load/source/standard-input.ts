import { read } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

const readInto = promisify(read)

/** Until it is asked again whether something has come. */
const waitMs = 20

/**
 * The bytes of standard input, in whatever thread. Another process, or a stream of this one, may have made it one that does not wait: then
 * a read says EAGAIN while its producer is busy.
 */
export async function* standardInputBytes(chunkBytes: number): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await readOnce(Buffer.allocUnsafe(chunkBytes))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function readOnce(buffer: Buffer): Promise<{ bytesRead: number; buffer: Buffer }> {
  for (;;) {
    try {
      return await readInto(0, buffer, 0, buffer.length, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await setTimeout(waitMs)
    }
  }
}
