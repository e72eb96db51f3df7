import { finished } from 'node:stream/promises'
import { parallelDownloadsDefault } from '../../src/client/limits.ts'
import type { OfferedFile } from '../../src/client/manifest.ts'
import type { Session } from '../../src/client/session/session.ts'
import type { Bench } from '../bench.ts'
import type { FinishedExport } from '../caller.ts'

/** Downloads everything as stored and inflated, several files at a time as `bin/millrace export` does, and throws it away. */
export async function measureDownload({ caller, dataset, book }: Bench): Promise<void> {
  await caller.export({ patients: dataset.patients }, async (found, session) => {
    const gzip = await download(session, found, 'gzip', discard)
    book.add('download', found.records / gzip.seconds)
    book.add('download-sent', gzip.bytes / 1_000_000 / gzip.seconds)
    const inflated = await download(session, found, 'identity', discard)
    book.add('download-inflated', found.records / inflated.seconds)
  })
}

const discard = async (bytes: NodeJS.ReadableStream): Promise<void> => {
  bytes.resume()
  await finished(bytes)
}

/** Downloads the output of an export. `take` gets the bytes of each file. */
export async function download(
  session: Session,
  { manifest }: FinishedExport,
  coding: 'gzip' | 'identity',
  take: (bytes: NodeJS.ReadableStream, file: OfferedFile) => Promise<unknown>,
): Promise<{ readonly bytes: number; readonly seconds: number }> {
  const files = manifest.files.filter(({ kind }) => kind === 'output')
  const started = performance.now()
  let bytes = 0
  const next = files.values()
  const lanes = Array.from({ length: parallelDownloadsDefault }, async () => {
    for (const file of next) {
      const headers = { accept: 'application/fhir+ndjson', 'accept-encoding': coding }
      const { status, response } = await session.call({ method: 'GET', url: file.url, headers, token: 'first-hop' })
      if (status !== 200) throw new Error(`${file.type} was answered with ${status}`)
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      await take(response, file)
    }
  })
  await Promise.all(lanes)
  return { bytes, seconds: (performance.now() - started) / 1000 }
}
