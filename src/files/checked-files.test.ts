import assert from 'node:assert/strict'
import { appendFile, type FileHandle, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { CheckedFiles, identityOf, piecesOf, rememberedFilesMax } from './checked-files.ts'
import { DamagedFile } from './file-store.ts'

const bytes = Buffer.alloc(600_000, 'bytes of a file')
const crc = crc32(bytes)

async function stored(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-checked-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'file')
  await writeFile(path, bytes)
  const checked = new CheckedFiles()
  /** @returns how often the file was read from */
  const insist = async (sum = crc): Promise<number> => {
    const handle = await open(path, 'r')
    let reads = 0
    const counted = {
      read: (...given: Parameters<FileHandle['read']>) => {
        reads++
        return handle.read(...given)
      },
    }
    try {
      await checked.insist(path, await identityOf(handle), sum, () => piecesOf(counted as unknown as FileHandle))
      return reads
    } finally {
      await handle.close()
    }
  }
  return { path, insist }
}

test('a file is read once, whoever asks and however often, until it is another one', async (t) => {
  const { path, insist } = await stored(t)
  const reads = await Promise.all([insist(), insist(), insist()])
  assert.deepEqual(reads.filter((count) => count > 0).length, 1)
  assert.equal(await insist(), 0)
  const copy = `${path}-copy`
  await writeFile(copy, bytes)
  await rename(copy, path)
  assert.ok((await insist()) > 0)
  assert.equal(await insist(), 0)
})

test('what is not what was published is told each time, and is fine when it is mended', async (t) => {
  const { path, insist } = await stored(t)
  await insist()
  await assert.rejects(insist(crc + 1), DamagedFile)
  await appendFile(path, 'x')
  for (let time = 0; time < 2; time++) await assert.rejects(insist(), DamagedFile)
  await writeFile(path, bytes)
  assert.ok((await insist()) > 0)
})

test('so many files are remembered: with one more, that which was asked for longest ago is read again', async () => {
  const checked = new CheckedFiles()
  let reads = 0
  const insist = (path: number) =>
    checked.insist(`${path}`, 'file', crc32('a'), async function* () {
      reads++
      yield Buffer.from('a')
    })
  for (let path = 0; path < rememberedFilesMax; path++) await insist(path)
  await insist(0)
  assert.equal(reads, rememberedFilesMax)
  await insist(rememberedFilesMax)
  await insist(0)
  assert.equal(reads, rememberedFilesMax + 1)
  await insist(1)
  assert.equal(reads, rememberedFilesMax + 2)
})
