import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GatheredLines } from './gathered-lines.ts'

/** What is set aside at first. */
const bufferBytesMin = 256 * 1024

describe('gathered lines', () => {
  it('are the records, each with its line feed, at, below and above what is set aside', () => {
    const lines = new GatheredLines()
    for (const size of [bufferBytesMin - 2, bufferBytesMin - 1, bufferBytesMin, 5 * bufferBytesMin]) {
      const record = Buffer.alloc(size, 'r')
      lines.add(record)
      assert.ok(lines.bytes.equals(Buffer.concat([record, Buffer.from('\n')])), `${size}`)
      lines.add(Buffer.from('next'))
      assert.equal(lines.bytes.subarray(size + 1).toString(), 'next\n')
      assert.deepEqual([lines.records, lines.length], [2, size + 6])
      lines.clear()
      assert.deepEqual([lines.records, lines.length, lines.bytes.length], [0, 0, 0])
    }
  })
})
