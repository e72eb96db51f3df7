import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { describe, it, mock } from 'node:test'
import { KeyFilter } from './key-filter.ts'
import { Spool } from './spool.ts'

describe('a spool', () => {
  it('gives back what was put in, from any place, however long', async () => {
    const spool = await Spool.open<{ n: number }>()
    const sizes = [0, 1, 3_000_000, 17, 1024 * 1024, 5]
    const places: number[] = []
    for (const [n, size] of sizes.entries()) {
      places.push(spool.end)
      await spool.append({ n }, Buffer.alloc(size, n))
    }
    for (const from of [0, 2, 5]) {
      const found = await Array.fromAsync(spool.read(places[from]!))
      assert.deepEqual(
        found.map(({ at, head, text }) => [at, head.n, text.length, text.every((byte) => byte === head.n)]),
        sizes.map((size, n) => [places[n], n, size, true]).slice(from),
      )
    }
    assert.deepEqual(
      (await Array.fromAsync(spool.read(0, places[2]))).map(({ head }) => head.n),
      [0, 1],
    )
    await spool.close()
  })

  it('is of no use any more once something could not be written', async () => {
    const spool = await Spool.open<object>()
    const handle = await open(devNull)
    const method = mock.method(Object.getPrototypeOf(handle), 'write', async () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    })
    await handle.close()
    const failed = { name: 'Failure', message: 'The temporary file of the load cannot be written (ENOSPC).' }
    await assert.rejects(spool.append({}, Buffer.alloc(2_000_000)), failed)
    method.mock.restore()
    await assert.rejects(spool.append({}, Buffer.alloc(1)), failed)
    await assert.rejects(Array.fromAsync(spool.read(0)), failed)
    await spool.close()
  })
})

describe('a filter of keys', () => {
  it('has everything that was added, and hardly anything else', () => {
    const filter = new KeyFilter(1024 * 1024)
    assert.ok(filter.isEmpty && !filter.mayHave('a'))
    for (let n = 0; n < 10_000; n++) filter.add(`Patient/${n}`)
    let wrong = 0
    for (let n = 0; n < 10_000; n++) {
      assert.ok(filter.mayHave(`Patient/${n}`))
      if (filter.mayHave(`Patient/x${n}`)) wrong++
    }
    assert.ok(wrong < 5)
  })
})
