import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import { DamagedFile, type FileStore } from './file-store.ts'

/** A store as the suite gets it, with the hands of somebody who damages what lies in it. */
export interface StoreUnderTest {
  readonly store: FileStore
  readonly remove: (path: string) => Promise<void>
  readonly replace: (path: string, bytes: Buffer) => Promise<void>
}

/** Larger than whatever a store writes or uploads at once, and no multiple of it. */
const largeBytes = 12 * 1024 * 1024 + 7
const chunkBytes = 256 * 1024

const pathOf = (job: string, partition = 0, attempt = 1, type = 'Patient'): string =>
  `${job}/${partition}-${attempt}/${type}-0.ndjson.gz`

export async function write(store: Pick<FileStore, 'create'>, path: string, bytes: Buffer): Promise<void> {
  const file = await store.create(path)
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // Its memory is used for others when it is taken.
    const chunk = Buffer.from(bytes.subarray(at, at + chunkBytes))
    await new Promise<void>((resolve, reject) => {
      file.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
    chunk.fill(0)
  }
  file.end()
  await once(file, 'close')
}

/** What every store of files does, however it keeps them. */
export function describeFileStore(name: string, opened: () => StoreUnderTest, skip: string | false = false): void {
  describe(name, { skip }, () => {
    const bytes = randomBytes(largeBytes)
    const job = randomUUID()
    const path = pathOf(job)
    const all = async (
      place: string,
      size: number,
      range?: { start: number; end: number },
      crc: number | null = null,
    ) => buffer(await opened().store.read(place, { size, crc }, range))

    it('gives back what was written, all of it and in ranges', async () => {
      await write(opened().store, path, bytes)
      assert.ok(bytes.equals(await all(path, bytes.length)))
      for (const [start, end] of [
        [0, 0],
        [5, 5_000_000],
        [bytes.length - 1, bytes.length - 1],
      ] as const) {
        const range = await all(path, bytes.length, { start, end }, crc32(bytes))
        assert.ok(range.equals(bytes.subarray(start, end + 1)), `${start}-${end}`)
      }
    })

    it('keeps a file of a few bytes', async () => {
      const few = pathOf(job, 0, 1, 'Group')
      await write(opened().store, few, Buffer.from('few'))
      assert.equal((await all(few, 3)).toString(), 'few')
    })

    it('says of a file that is gone, or of another size, that it is damaged', async () => {
      const { store, remove, replace } = opened()
      await assert.rejects(store.read(pathOf(job, 9), { size: 3, crc: null }), new DamagedFile('it is not there'))
      const other = pathOf(job, 0, 1, 'Location')
      await write(store, other, bytes.subarray(0, 100))
      await replace(other, bytes.subarray(0, 99))
      await assert.rejects(store.read(other, { size: 100, crc: null }), new DamagedFile('it has 99 bytes and not 100'))
      await assert.rejects(store.read(other, { size: 100, crc: null }, { start: 99, end: 99 }), DamagedFile)
      await remove(other)
      await assert.rejects(store.read(other, { size: 100, crc: null }), DamagedFile)
    })

    it('gives no range of a file whose bytes are others', async () => {
      const { store, replace } = opened()
      const other = pathOf(job, 0, 1, 'Device')
      await write(store, other, bytes.subarray(0, 100))
      await replace(other, bytes.subarray(1, 101))
      const published = { size: 100, crc: crc32(bytes.subarray(0, 100)) }
      await assert.rejects(store.read(other, published, { start: 5, end: 9 }), DamagedFile)
    })

    it('has no file of a stream that was given up', async () => {
      const { store } = opened()
      const given = randomUUID()
      for (const size of [10, largeBytes]) {
        const file = await store.create(pathOf(given))
        file.on('error', () => {})
        await new Promise((resolve) => file.write(bytes.subarray(0, size), resolve))
        file.destroy()
        await once(file, 'close')
        await store.removeAttempt(`${given}/0-1`)
        await assert.rejects(store.read(pathOf(given), { size: size, crc: null }), DamagedFile)
      }
      await store.removeJob(given)
      assert.ok(!(await store.jobs()).includes(given))
    })

    it('tells which jobs have files, and removes those of a job alone', async () => {
      const { store } = opened()
      const [kept, removed] = [randomUUID(), randomUUID()]
      for (const each of [kept, removed]) await write(store, pathOf(each), bytes.subarray(0, 10))
      const jobs = await store.jobs()
      assert.ok(jobs.includes(kept) && jobs.includes(removed))
      await store.removeJob(removed)
      await store.removeJob(removed)
      assert.ok(!(await store.jobs()).includes(removed))
      assert.equal((await all(pathOf(kept), 10)).length, 10)
    })

    it('removes one attempt of a partition, and not one whose number begins with the same digits', async () => {
      const { store } = opened()
      const own = randomUUID()
      for (const attempt of [1, 11]) await write(store, pathOf(own, 0, attempt), bytes.subarray(0, 10))
      await store.removeAttempt(`${own}/0-1`)
      await assert.rejects(store.read(pathOf(own, 0, 1), { size: 10, crc: null }), DamagedFile)
      assert.equal((await all(pathOf(own, 0, 11), 10)).length, 10)
    })

    it('keeps of a job the attempts of named files and later ones', async () => {
      const { store } = opened()
      const own = randomUUID()
      const paths = [pathOf(own, 0, 1), pathOf(own, 0, 2), pathOf(own, 0, 3), pathOf(own, 1, 1), pathOf(own, 2, 1)]
      for (const each of paths) await write(store, each, bytes.subarray(0, 10))
      await store.keepOnly(own, [pathOf(own, 0, 2), pathOf(own, 1, 1)])
      const left = await Promise.allSettled(paths.map((each) => all(each, 10)))
      assert.deepEqual(
        left.map(({ status }) => status === 'fulfilled'),
        [false, true, true, true, false],
      )
    })

    for (const hostile of hostilePaths) {
      it(`touches nothing at ${JSON.stringify(hostile)}, whoever asks`, async () => {
        const { store } = opened()
        const before = (await store.jobs()).sort()
        for (const act of [
          () => store.create(hostile),
          () => store.read(hostile, { size: 1, crc: null }),
          () => store.removeAttempt(hostile),
          () => store.keepOnly(hostile, []),
          () => store.removeJob(hostile),
        ]) {
          await assert.rejects(async () => act(), /not a (path|folder|job id)/)
        }
        assert.deepEqual((await store.jobs()).sort(), before)
      })
    }
  })
}

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
