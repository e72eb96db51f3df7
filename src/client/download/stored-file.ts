import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Inspection } from './inspection.ts'
import type { Coding } from './partial-download.ts'

/** A gzip stream ends too early or is damaged: the bytes are not what the server meant to send. */
export class BrokenGzip extends Error {}

/** Larger than the defaults of 16 and 64 KiB: fewer turns between threads, a third less time. */
const chunkBytes = 256 * 1024

type Bytes = AsyncIterable<Buffer>

/** Reads a file through an inspection. @throws BrokenGzip */
export async function inspectStored(path: string, coding: Coding, inspection: Inspection): Promise<void> {
  const look = async (source: Bytes) => {
    for await (const chunk of source) inspection.take(chunk)
    inspection.take(undefined)
  }
  const source = createReadStream(path, { highWaterMark: chunkBytes })
  await (coding === 'gzip'
    ? pipeline(source, createGunzip({ chunkSize: chunkBytes }), look)
    : pipeline(source, look)
  ).catch(asBrokenGzip)
}

/**
 * Reads a file through an inspection and writes it in the other coding. Nothing is held but the chunk at hand.
 * @throws BrokenGzip when the source is not whole; the target is removed then
 */
export async function recode(source: string, from: Coding, target: string, inspection: Inspection): Promise<void> {
  const look = async function* (bytes: Bytes) {
    for await (const chunk of bytes) {
      inspection.take(chunk)
      yield chunk
    }
    inspection.take(undefined)
  }
  const input = createReadStream(source, { highWaterMark: chunkBytes })
  const output = createWriteStream(target, { mode: 0o600, flush: true })
  const done =
    from === 'gzip'
      ? pipeline(input, createGunzip({ chunkSize: chunkBytes }), look, output)
      : pipeline(input, look, createGzip({ level: 4, chunkSize: chunkBytes }), output)
  await done.catch(async (error: unknown) => {
    await rm(target, { force: true })
    asBrokenGzip(error)
  })
}

function asBrokenGzip(error: unknown): never {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
    throw new BrokenGzip(`its gzip stream is broken (${error.message})`, { cause: error })
  }
  throw error
}
