import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { to as copyTo } from 'pg-copy-streams'
import type { Bench } from '../bench.ts'
import { run } from '../program.ts'
import { tenant } from '../store.ts'
import { download } from './download.ts'

/** The output of the whole export as NDJSON on disk: what the floors work on. */
export interface Output {
  readonly directory: string
  readonly records: number
}

/** Exports everything and downloads it. */
export async function writeOutput({ caller, dataset, work }: Bench): Promise<Output> {
  const directory = join(work, 'output')
  await mkdir(directory, { mode: 0o700 })
  const { records } = await caller.export({ patients: dataset.patients }, (found, session) =>
    download(session, found, 'identity', (bytes, { stem }) =>
      pipeline(bytes, createWriteStream(join(directory, `${stem}.ndjson`), { mode: 0o600 })),
    ),
  )
  return { directory, records }
}

/** Copies the files and waits until they are on the disk, as the files of an export are when its manifest is there. */
export async function measureCp({ work, store: { environment }, book, signal }: Bench, output: Output): Promise<void> {
  const copy = join(work, 'copy')
  // A file system that shares blocks between copies would copy nothing.
  const flags = process.platform === 'linux' ? ['-R', '--reflink=never'] : ['-R']
  const started = performance.now()
  await run('cp', [...flags, output.directory, copy], { environment, signal })
  for (const name of await readdir(copy)) {
    const file = await open(join(copy, name), 'r+')
    await file.sync()
    await file.close()
  }
  const seconds = (performance.now() - started) / 1000
  await rm(copy, { recursive: true })
  book.add('floor-cp', output.records / seconds)
}

/** Reads the bodies of all current records over a connection, and throws them away. */
export async function measureCopy({ store, book }: Bench): Promise<void> {
  const client = await store.pool.connect()
  const bodies = `select body from millrace.record
    where tenant = '${tenant}' and superseded = 'infinity' and lead and not deleted`
  const started = performance.now()
  const rows = client.query(copyTo(`copy (${bodies}) to stdout (format binary)`))
  rows.resume()
  await new Promise((resolve, reject) => rows.once('end', resolve).once('error', reject))
  book.add('floor-copy', (rows.rowCount / (performance.now() - started)) * 1000)
  client.release()
}

/** Compresses the files with one core, and throws the result away. */
export async function measureGzip({ store: { environment }, book, signal }: Bench, output: Output): Promise<void> {
  const files = (await readdir(output.directory)).map((name) => join(output.directory, name))
  const words = ['-c', 'gzip -1 -c "$@" > /dev/null', 'sh', ...files]
  const { seconds } = await run('sh', words, { environment, signal })
  book.add('floor-gzip', output.records / seconds)
}
