import assert from 'node:assert/strict'
import { it } from 'node:test'
import { SpareBuffers } from './spare-buffers.ts'

const spareBuffersMax = 48

it('buffers that are given are taken again, at and below a bound, and not above it', () => {
  const buffers = new SpareBuffers(10)
  const first = buffers.take()
  assert.equal(first.length, 10)
  buffers.give(first)
  buffers.give(Buffer.alloc(11))
  assert.equal(buffers.take(), first)
  assert.notEqual(buffers.take(), first)

  const many = Array.from({ length: spareBuffersMax + 1 }, () => Buffer.alloc(10))
  for (const buffer of many) buffers.give(buffer)
  const taken = new Set(Array.from({ length: spareBuffersMax + 1 }, () => buffers.take()))
  assert.equal(many.filter((buffer) => taken.has(buffer)).length, spareBuffersMax)
  assert.equal(taken.has(many.at(-1)!), false)
})
