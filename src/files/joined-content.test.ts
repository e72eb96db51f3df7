import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { ByteRange } from './byte-range.ts'
import { diskStore } from './disk-store.ts'
import { type Coding, type ContentPart, DamagedPart, type InTurn, JoinedContent } from './joined-content.ts'
import { PartWriter } from './part-writer.ts'

const job = '00000000-0000-4000-8000-000000000000'

describe('the content of a file', () => {
  let directory: string
  let parts: ContentPart[]
  const texts = [1, 40_000, 3].map((count, part) => `{"part":${part}}\n`.repeat(count))
  const store = () => diskStore(directory)

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-content-'))
    parts = await Promise.all(texts.map((text, number) => write(number, text)))
  })
  after(() => rm(directory, { recursive: true }))

  async function write(number: number, text: string): Promise<ContentPart> {
    const writer = new PartWriter(store(), `${job}/${number}-1`, 'Patient', 50_000_000)
    await writer.write(Buffer.from(text), text.split('\n').length - 1)
    return (await writer.end())[0]!
  }

  const content = (of: readonly ContentPart[], coding: Coding) =>
    new JoinedContent(store(), of, coding, (work) => work())
  const read = (of: readonly ContentPart[], coding: Coding, range?: ByteRange) =>
    buffer(content(of, coding).read(range))

  for (const count of [1, 2, 3]) {
    it(`of ${count} parts is one gzip member with the lines of all, and the lines`, async () => {
      const text = texts.slice(0, count).join('')
      const zipped = await read(parts.slice(0, count), 'gzip')
      assert.equal(zipped.length, content(parts.slice(0, count), 'gzip').size)
      // Node inflates members one after the other: that there is one is seen by its head standing once.
      assert.equal(gunzipSync(zipped).toString(), text)
      assert.equal(zipped.toString('latin1').split('\x1f\x8b\x08').length, 2)
      assert.equal((await read(parts.slice(0, count), 'identity')).toString(), text)
    })
  }

  it('is sent in ranges as it is whole, wherever they begin and end', async () => {
    for (const coding of ['gzip', 'identity'] as const) {
      const whole = await read(parts, coding)
      const edges = [0, 1, 9, 10, 11, parts[0]!.gzipBytes - 11, parts[0]!.bytes, parts[0]!.bytes + 1]
      const ends = [whole.length - 1, whole.length - 2, whole.length - 10, whole.length - 11, whole.length >> 1]
      for (const start of edges) {
        for (const end of [start, ...ends].filter((each) => each >= start)) {
          const part = await read(parts, coding, { start, end })
          assert.ok(part.equals(whole.subarray(start, end + 1)), `${coding} ${start}-${end}`)
        }
      }
    }
  })

  it('is inflated a piece in each turn, and of a range no further than it is wanted', async () => {
    const large = await write(9, 'a line of twenty b.\n'.repeat(100_000))
    const turns = async (range?: ByteRange) => {
      let [at, most, count] = [0, 0, 0]
      const inTurn: InTurn = async (work) => {
        count++
        most = Math.max(most, ++at)
        const result = await work()
        at--
        return result
      }
      const length = (await buffer(new JoinedContent(store(), [large], 'identity', inTurn).read(range))).length
      assert.equal(most, 1)
      assert.equal(length, range ? range.end - range.start + 1 : large.bytes)
      return count
    }
    const all = await turns()
    assert.ok(all > large.bytes / (256 * 1024), `${all}`)
    assert.equal(await turns({ start: 0, end: 9 }), 1)
    assert.ok((await turns({ start: 0, end: large.bytes >> 1 })) < all * 0.75)
  })

  for (const coding of ['gzip', 'identity'] as const) {
    for (const number of [0, 1, 2]) {
      it(`by ${coding} fails when part ${number} is not what it was, and says which`, async () => {
        const part = parts[number]!
        const path = join(directory, part.path)
        const stored = await readFile(path)
        const changed = Buffer.from(stored)
        changed[changed.length - 12]! ^= 1
        await writeFile(path, changed)
        const isOfPart = (error: unknown) => error instanceof DamagedPart && error.part.path === part.path
        await assert.rejects(read(parts, coding), isOfPart)
        await rm(path)
        await assert.rejects(read(parts, coding), isOfPart)
        await writeFile(path, stored)
        await read(parts, coding)
      })
    }
  }
})
