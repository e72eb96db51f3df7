import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { diskStore } from './disk-store.ts'

async function folder(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-files-'))
  t.after(() => rm(directory, { recursive: true }))
  return directory
}

const mode = async (path: string) => (await stat(path)).mode & 0o777

test('files are for their owner alone: folders 0700, files 0600', async (t) => {
  const directory = await folder(t)
  const job = randomUUID()
  const file = await diskStore(directory).create(`${job}/0-1/Patient-0.ndjson.gz`)
  file.end('bytes')
  await once(file, 'close')
  assert.equal(await mode(join(directory, job)), 0o700)
  assert.equal(await mode(join(directory, job, '0-1')), 0o700)
  assert.equal(await mode(join(directory, job, '0-1', 'Patient-0.ndjson.gz')), 0o600)
})

const id = '96295b8c-584e-11ec-bf63-0242ac130002'
const hostilePaths = [
  '../outside',
  `${id}/../../outside`,
  `${id}/0-1/../../../outside`,
  `/${id}/0-1/Patient-0.ndjson.gz`,
  `${id}/0-1/Patient-0.ndjson.gz\0`,
  `${id}/0-1/Patient-0.ndjson.gz\n`,
  `${id}/0-1/Pa/tient-0.ndjson.gz`,
  `..${id.slice(2)}/0-1/../x-0.ndjson.gz`,
  '',
]

test('what is not a path of the store is not touched, whoever asks', async (t) => {
  const directory = await folder(t)
  const store = diskStore(directory)
  for (const path of hostilePaths) {
    for (const act of [
      () => store.create(path),
      () => store.read(path, { size: 1, crc: 0 }),
      () => store.removeAttempt(path),
      () => store.keepOnly(path, []),
      () => store.removeJob(path),
    ]) {
      await assert.rejects(async () => act(), /not a (path|folder|job id)/, JSON.stringify(path))
    }
  }
  assert.deepEqual(await readdir(directory), [])
})
