import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SharedBuffers } from '../shared-buffers.ts'
import type { LineBlock } from '../source/source-lines.ts'
import { ParserPool } from './parser-pool.ts'

const parsing = { tenant: 't', bases: { own: [], source: [] }, keepLastUpdated: false, lineBytesMax: 1_000 }

/** A block of so many records. */
function blockOf(records: number): LineBlock {
  const line = (id: number) => `{"resourceType":"Observation","id":"${records}-${id}"}\n`
  return { bytes: Buffer.from(Array.from({ length: records }, (_, id) => line(id)).join('')), tooLong: false }
}

async function* blocksOf(counts: readonly number[]): AsyncGenerator<LineBlock> {
  for (const count of counts) yield blockOf(count)
}

describe('blocks that are read in threads', () => {
  // Large and small ones: the small ones are ready first.
  const counts = [2_000, 100, 1_500, 101, 102, 1_000, 103, 104]

  for (const threads of [0, 1, 3]) {
    it(`come in their order, from ${threads} threads`, async () => {
      const parsers = new ParserPool(parsing, threads, new SharedBuffers())
      const found: (number | undefined)[] = []
      for await (const { parts } of parsers.parsed(blocksOf(counts), () => true)) {
        found.push(parts[0]!.rows?.records.count)
        assert.ok(Buffer.isBuffer(parts[0]!.rows?.records.bytes))
      }
      await parsers.close()
      assert.deepEqual(found, counts)
    })
  }

  it('come as they are where that is wanted', async () => {
    const parsers = new ParserPool(parsing, 2, new SharedBuffers())
    const found: unknown[] = []
    let asked = 0
    for await (const { parts } of parsers.parsed(blocksOf(counts), () => asked++ % 2 === 0)) {
      found.push(parts[0]!.rows?.records.count)
    }
    await parsers.close()
    assert.deepEqual(
      found,
      counts.map((count, index) => (index % 2 === 0 ? count : undefined)),
    )
  })

  it('end with the error of their source', async () => {
    const parsers = new ParserPool(parsing, 1, new SharedBuffers())
    async function* broken(): AsyncGenerator<LineBlock> {
      yield blockOf(100)
      throw new Error('the disk is gone')
    }
    await assert.rejects(async () => {
      for await (const _ of parsers.parsed(broken(), () => true));
    }, /the disk is gone/)
    await parsers.close()
  })
})
