import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { diskStore } from './disk-store.ts'
import { describeFileStore, write } from './file-store-suite.fixture.ts'

let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-files-'))
})
after(() => rm(directory, { recursive: true }))

describeFileStore('files on disk', () => ({
  store: diskStore(directory),
  remove: (path) => rm(join(directory, path)),
  replace: (path, bytes) => writeFile(join(directory, path), bytes),
}))

const mode = async (path: string) => (await stat(path)).mode & 0o777

test('files are for their owner alone: folders 0700, files 0600', async () => {
  const job = randomUUID()
  await write(diskStore(directory), `${job}/0-1/Patient-0.ndjson.gz`, Buffer.from('bytes'))
  assert.equal(await mode(join(directory, job)), 0o700)
  assert.equal(await mode(join(directory, job, '0-1')), 0o700)
  assert.equal(await mode(join(directory, job, '0-1', 'Patient-0.ndjson.gz')), 0o600)
})
