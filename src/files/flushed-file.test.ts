import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type FileHandle, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type TestContext, test } from 'node:test'
import { FlushedFile } from './flushed-file.ts'

async function opened(t: TestContext): Promise<{ path: string; handle: FileHandle }> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-flushed-'))
  t.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'file')
  return { path, handle: await open(path, 'wx') }
}

/** Counts the calls of a method of the handle, which does what it does. */
const counted = (t: TestContext, handle: FileHandle, method: 'datasync' | 'sync') => t.mock.method(handle, method).mock

const mebibyte = 1024 * 1024

test('a file holds what was written, and was flushed every 2 MiB and at its end', async (t) => {
  for (const [size, flushes] of [
    [0, 0],
    [2 * mebibyte - 1, 0],
    [2 * mebibyte, 1],
    [2 * mebibyte + 1, 1],
  ] as const) {
    const { path, handle } = await opened(t)
    const datasync = counted(t, handle, 'datasync')
    const sync = counted(t, handle, 'sync')
    const bytes = randomBytes(size)
    const chunks = Array.from({ length: Math.ceil(size / 65_521) }, (_, n) =>
      bytes.subarray(n * 65_521).subarray(0, 65_521),
    )
    await pipeline(Readable.from(chunks), new FlushedFile(handle))
    assert.ok((await readFile(path)).equals(bytes), `${size}`)
    assert.deepEqual([datasync.callCount(), sync.callCount()], [flushes, 1], `${size}`)
    assert.equal(handle.fd, -1)
  }
})

test('one flush at a time', async (t) => {
  const { path, handle } = await opened(t)
  let running = 0
  let most = 0
  const datasync = handle.datasync.bind(handle)
  t.mock.method(handle, 'datasync', async () => {
    most = Math.max(most, ++running)
    await datasync()
    running--
  })
  const bytes = randomBytes(16 * mebibyte)
  await pipeline(
    Readable.from([bytes.subarray(0, 9 * mebibyte), bytes.subarray(9 * mebibyte)]),
    new FlushedFile(handle),
  )
  assert.equal(most, 1)
  assert.ok((await readFile(path)).equals(bytes))
})

// A disk that fails cannot be had here: the handle says that it did.
for (const method of ['datasync', 'sync', 'writeFile'] as const) {
  test(`a file whose ${method} fails does not finish`, async (t) => {
    const { handle } = await opened(t)
    t.mock.method(handle, method, async () => {
      throw new Error('the disk failed')
    })
    const chunks = Array.from({ length: 5 }, () => Buffer.alloc(mebibyte))
    await assert.rejects(pipeline(Readable.from(chunks), new FlushedFile(handle)), /the disk failed/)
    assert.equal(handle.fd, -1)
  })
}

test('a file that is given up closes after what it was doing', async (t) => {
  const { handle } = await opened(t)
  const file = new FlushedFile(handle)
  file.write(Buffer.alloc(4 * mebibyte))
  file.destroy()
  await once(file, 'close')
  assert.equal(handle.fd, -1)
})
