import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { deflateLines } from '../gzip/deflated.ts'
import { NotAsPublished } from './cut.ts'
import { PartWriter, type WrittenPart } from './part-writer.ts'

/** A store in memory. */
function memory() {
  const files = new Map<string, Promise<Buffer>>()
  const create = async (path: string) => {
    const file = new PassThrough()
    files.set(path, buffer(file))
    return file
  }
  return { files, create }
}

/** Writes lines, as pieces of text or as packs, and gives the parts with their texts. */
async function written(lines: readonly string[], packed: boolean, gzipBytesMax: number, cuts?: readonly WrittenPart[]) {
  const store = memory()
  const writer = new PartWriter(store, 'f', 'Goal', gzipBytesMax, cuts)
  for (let at = 0; at < lines.length; at += 7) {
    const some = lines.slice(at, at + 7)
    const text = Buffer.from(some.map((line) => `${line}\n`).join(''))
    if (packed) await writer.copy(deflateLines(text, some.length, 6))
    else await writer.write(text, some.length)
  }
  const parts = await writer.end()
  const stored = await Promise.all(parts.map(({ path }) => store.files.get(path)!))
  return { parts, stored, texts: stored.map((file) => gunzipSync(file).toString()) }
}

const sameOf = ({ records, bytes, crc, continues }: WrittenPart) => ({ records, bytes, crc, continues })

test('files that are made again end where they ended, whether lines or packs are read', async () => {
  const line = fc.string({ minLength: 1, maxLength: 60 }).filter((text) => !text.includes('\n'))
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 200 }), fc.boolean(), async (lines, packed) => {
      const before = await written(lines, packed, 600)
      const again = await written(lines, !packed, 600, before.parts)
      assert.deepEqual(again.texts, before.texts)
      assert.deepEqual(again.parts.map(sameOf), before.parts.map(sameOf))
    }),
    { numRuns: 50 },
  )
})

test('checksums are those of the lines and of the file', async () => {
  const { parts, stored, texts } = await written(
    Array.from({ length: 400 }, (_, index) => `${index}`.repeat(20)),
    true,
    900,
  )
  assert.ok(parts.length > 1)
  for (const [index, part] of parts.entries()) {
    assert.equal(part.crc, crc32(texts[index]!))
    assert.equal(part.gzipCrc, crc32(stored[index]!))
    assert.equal(part.gzipBytes, stored[index]!.length)
  }
})

test('more lines than there were, or lines that end elsewhere, are refused', async () => {
  const before = await written(['a', 'b', 'c'], false, 1_000)
  await assert.rejects(written(['a', 'b', 'c', 'd'], false, 1_000, before.parts), NotAsPublished)
  await assert.rejects(written(['a', 'b', 'cde'], true, 1_000, before.parts), NotAsPublished)
})
