import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { deflateLines } from '../gzip/deflated.ts'
import type { FileStore } from './file-store.ts'
import { PartWriter } from './part-writer.ts'

const folder = '00000000-0000-4000-8000-000000000000/0-1'

/** Files in memory. A slow store takes each write in a turn of its own, with a small buffer before it. */
class MemoryStore implements Pick<FileStore, 'create'> {
  readonly files = new Map<string, Buffer[]>()
  readonly destroyed = new Set<string>()
  readonly #slow: boolean

  constructor(slow = false) {
    this.#slow = slow
  }

  async create(path: string): Promise<Writable> {
    assert.ok(!this.files.has(path), `${path} is created once`)
    const chunks: Buffer[] = []
    this.files.set(path, chunks)
    const slow = this.#slow
    let ended = false
    return new Writable({
      highWaterMark: slow ? 1 : 1024 * 1024,
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(Buffer.from(chunk))
        if (slow) setImmediate(done)
        else done()
      },
      final: (done) => {
        ended = true
        done()
      },
      destroy: (error, done) => {
        if (!ended) this.destroyed.add(path)
        done(error)
      },
    })
  }

  bytes(path: string): Buffer {
    return Buffer.concat(this.files.get(path)!)
  }
}

/** What every part must be, whatever was written: its numbers are true, it is one gzip member, and it ends at a line end. */
function textOf(store: MemoryStore, parts: Awaited<ReturnType<PartWriter['end']>>, gzipBytesMax: number): string {
  return parts
    .map((part, index) => {
      assert.equal(part.path, `${folder}/Observation-${index}.ndjson.gz`)
      const stored = store.bytes(part.path)
      assert.equal(stored.length, part.gzipBytes)
      assert.ok(stored.length <= gzipBytesMax, `${stored.length} bytes are more than ${gzipBytesMax}`)
      assertOneMember(stored)
      const text = gunzipSync(stored).toString('latin1')
      assert.equal(text.length, part.bytes)
      assert.equal(text.split('\n').length - 1, part.records)
      assert.ok(text.endsWith('\n'))
      return text
    })
    .join('')
}

/** A member ends with the size of what it holds; after a second one that would be the size of the second only. */
function assertOneMember(stored: Buffer): void {
  assert.equal(stored.readUInt32LE(stored.length - 4), gunzipSync(stored).length)
}

/** A line that deflate cannot shrink: random bytes, only no line feeds. */
function incompressible(size: number): Buffer {
  const line = randomBytes(size).map((byte) => (byte === 0x0a ? 0x0b : byte))
  return Buffer.concat([line, Buffer.from('\n')])
}

describe('the parts of one type (T-183)', () => {
  it('hold all lines in order, and their numbers are true', async () => {
    const store = new MemoryStore()
    const writer = new PartWriter(store, folder, 'Observation', 1_000_000)
    const batches = Array.from({ length: 20 }, (_, index) => `{"id":"${index}"}\n{"id":"${index}b"}\n`)
    for (const batch of batches) await writer.write(Buffer.from(batch), 2)
    const parts = await writer.end()
    assert.equal(parts.length, 1)
    assert.equal(textOf(store, parts, 1_000_000), batches.join(''))
  })

  it('are none when nothing was written', async () => {
    const store = new MemoryStore()
    assert.deepEqual(await new PartWriter(store, folder, 'Observation', 1_000_000).end(), [])
    assert.equal(store.files.size, 0)
  })

  for (const slow of [false, true]) {
    it(`never exceed the bound with lines that cannot be compressed, on a ${slow ? 'slow' : 'fast'} store`, async () => {
      const gzipBytesMax = 1_200_000
      const store = new MemoryStore(slow)
      const writer = new PartWriter(store, folder, 'Observation', gzipBytesMax)
      const written: Buffer[] = []
      for (let count = 0; count < 200; count++) {
        const line = incompressible(1 + ((count * 7_919) % 60_000))
        written.push(line)
        await writer.write(line, 1)
      }
      const parts = await writer.end()
      assert.ok(parts.length > 4)
      assert.ok(parts.slice(0, -1).every((part) => part.gzipBytes > gzipBytesMax / 2, 'and are not needlessly small'))
      assert.equal(textOf(store, parts, gzipBytesMax), Buffer.concat(written).toString('latin1'))
    })
  }

  it('are cut at line ends for any lines, compressible or not', async () => {
    const line = fc.oneof(
      fc.nat(3_000).map((size) => Buffer.from(`${'{"code":"abc"}'.repeat(size)}\n`)),
      fc.nat(120_000).map(incompressible),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.boolean(), async (lines, slow) => {
        const store = new MemoryStore(slow)
        const writer = new PartWriter(store, folder, 'Observation', 500_000)
        for (const each of lines) await writer.write(each, 1)
        assert.equal(textOf(store, await writer.end(), 500_000), Buffer.concat(lines).toString('latin1'))
      }),
      { numRuns: 40 },
    )
  })

  it('hold lines that came deflated and lines that came as text, in the order they came', async () => {
    const lines = fc.record({
      text: fc.nat(2_000).map((size) => Buffer.from(`${'{"code":"abc"}'.repeat(size)}\n`)),
      deflated: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(lines, { maxLength: 40 }), fc.boolean(), async (all, slow) => {
        const store = new MemoryStore(slow)
        const writer = new PartWriter(store, folder, 'Observation', 2_000)
        for (const { text, deflated } of all) {
          await (deflated ? writer.copy(deflateLines(text, 1, 6)) : writer.write(text, 1))
        }
        const expected = Buffer.concat(all.map(({ text }) => text)).toString('latin1')
        assert.equal(textOf(store, await writer.end(), 2_000), expected)
      }),
      { numRuns: 60 },
    )
  })

  it('are given up without a trace in the list', async () => {
    const store = new MemoryStore(true)
    const writer = new PartWriter(store, folder, 'Observation', 1_000_000)
    await writer.copy(deflateLines(Buffer.from('{}\n'), 1, 6))
    await writer.write(Buffer.from('{}\n'), 1)
    writer.abandon()
    assert.deepEqual(writer.parts, [])
    assert.deepEqual([...store.destroyed], [`${folder}/Observation-0.ndjson.gz`])
  })

  it('fail when the store fails, instead of waiting for ever', async () => {
    const store = new MemoryStore()
    store.create = async () =>
      new Writable({ write: (_chunk, _encoding, done) => done(new Error('no space left on device')) })
    const writer = new PartWriter(store, folder, 'Observation', 50_000_000)
    const failing = async () => {
      for (let count = 0; count < 1_000; count++) await writer.write(incompressible(100_000), 1)
    }
    await assert.rejects(failing(), /no space left/)
    writer.abandon()
  })
})
