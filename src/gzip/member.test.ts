import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { crc32, createGunzip, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { combineCrc32 } from './crc32.ts'
import { type Deflated, deflateLines, inflateLines } from './deflated.ts'
import { memberEnd, memberHeader } from './member.ts'

const mebibyte = 1024 * 1024

/** A gzip file of pieces, as a part of an export is put together. */
function memberOf(pieces: readonly Deflated[]): Buffer {
  let crc = 0
  let bytes = 0
  for (const piece of pieces) {
    crc = combineCrc32(crc, piece.crc, piece.bytes)
    bytes += piece.bytes
  }
  return Buffer.concat([memberHeader, ...pieces.map(({ blocks }) => blocks), memberEnd(crc, bytes)])
}

const text = fc.oneof(
  fc.uint8Array({ maxLength: 4_000 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 0, max: 200_000 }).map((size) => Buffer.alloc(size, 'the same again ')),
  fc.constantFrom(16_383, 32_767, 32_768, 65_535, 65_536, 262_145).map((size) => randomBytes(size)),
)

test('pieces one after the other inflate to their texts one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 12 }), fc.constantFrom(1, 6, 9), async (texts, level) => {
      const pieces = texts.map((lines) => deflateLines(lines, 1, level))
      assert.deepEqual(gunzipSync(memberOf(pieces)), Buffer.concat(texts))
      for (const [index, piece] of pieces.entries()) assert.deepEqual(inflateLines(piece), texts[index])
    }),
    { numRuns: 60 },
  )
})

test('the checksum of two texts follows from theirs, whatever their lengths', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.uint8Array({ maxLength: 5_000 }), (a, b) => {
      const [first, second] = [Buffer.from(a), Buffer.from(b)]
      assert.equal(combineCrc32(crc32(first), crc32(second), second.length), crc32(Buffer.concat([first, second])))
    }),
  )
})

test('the checksum of a long text goes on by any number of bytes, in one step or in two', () => {
  const bytes = fc.oneof(fc.nat(2 ** 32), fc.constantFrom(2047, 2048, 2049, 2048 ** 2 - 1, 2048 ** 2, 2048 ** 2 + 1))
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), bytes, bytes, (first, a, b) => {
      assert.equal(combineCrc32(combineCrc32(first, 0, a), 0, b), combineCrc32(first, 0, a + b))
    }),
  )
})

test('a piece that says something else than it holds does not inflate', async () => {
  const piece = deflateLines(Buffer.from('{"id":"a"}\n'), 1, 6)
  assert.throws(() => inflateLines({ ...piece, crc: piece.crc ^ 1 }))
  assert.throws(() => inflateLines({ ...piece, bytes: piece.bytes - 1 }))
  assert.throws(() => inflateLines({ ...piece, bytes: piece.bytes + 1 }))
  const blocks = Buffer.from(piece.blocks)
  blocks[3]! ^= 0x40
  assert.throws(() => inflateLines({ ...piece, blocks }))
})

test('a member of more than 4 GiB has the right checksum, and its size wraps', { timeout: 900_000 }, async () => {
  const piece = deflateLines(Buffer.alloc(16 * mebibyte, 'a line of an export\n'), 1, 1)
  const pieces = Array.from({ length: 257 }, () => piece)
  const member = memberOf(pieces)
  assert.equal(member.readUInt32LE(member.length - 4), 16 * mebibyte)
  let inflated = 0
  // createGunzip compares both fields with what it inflates.
  for await (const chunk of Readable.from([member]).pipe(createGunzip({ chunkSize: mebibyte }))) {
    inflated += (chunk as Buffer).length
  }
  assert.equal(inflated, 257 * 16 * mebibyte)
})

test('gzip itself accepts a member', async (context) => {
  const pieces = ['{"id":"a"}\n', '', '{"id":"b"}\n'].map((line) => deflateLines(Buffer.from(line), 1, 6))
  try {
    const output = execFileSync('gzip', ['-dc'], { input: memberOf(pieces), stdio: ['pipe', 'pipe', 'ignore'] })
    assert.equal(output.toString(), '{"id":"a"}\n{"id":"b"}\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    context.skip('gzip is not installed')
  }
})

test('the file that docs/packs.md shows is what it says', async () => {
  const page = await readFile(new URL('../../docs/packs.md', import.meta.url), 'utf8')
  const shown = /```\n(1f 8b .*?)```/s.exec(page)![1]!
  const bytes = shown.split('\n').map((line) => /^([0-9a-f]{2} ?)*/.exec(line)![0].replaceAll(' ', ''))
  const lines = ['{"resourceType":"Goal","id":"a"}\n', '{"resourceType":"Goal","id":"b"}\n']
  const file = Buffer.from(bytes.join(''), 'hex')
  assert.equal(gunzipSync(file).toString(), lines.join(''))
  const pieces = lines.map((line) => deflateLines(Buffer.from(line), 1, 1))
  assert.equal(memberOf(pieces).toString('hex'), file.toString('hex'))
})
