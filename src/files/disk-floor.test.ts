import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { test } from 'node:test'
import { DiskFloor, DiskShort, isDiskShort, type Shortage, shortageToldMs } from './disk-floor.ts'
import { diskStore } from './disk-store.ts'

const floorBytes = 1_000

function floorAt(free: Readonly<Record<string, number>>) {
  const told: Shortage[] = []
  const floor = new DiskFloor(
    Object.keys(free),
    floorBytes,
    (shortage) => told.push(shortage),
    async (directory) => free[directory]!,
  )
  return { floor, told }
}

test('at the floor and above it there is room; below it there is none, on whichever disk', async () => {
  for (const [files, database, short] of [
    [1_001, 1_001, false],
    [1_000, 1_000, false],
    [999, 1_000, true],
    [1_000, 999, true],
    [0, 0, true],
  ] as const) {
    const { floor } = floorAt({ files, database })
    assert.equal(await floor.isShort(), short)
    if (short) await assert.rejects(floor.insist(), DiskShort)
    else await floor.insist()
  }
})

test('a floor of 0 is none', async () => {
  const floor = new DiskFloor(
    ['files'],
    0,
    () => assert.fail(),
    async () => 0,
  )
  assert.equal(await floor.isShort(), false)
})

test('a shortage is told once in a time, however many ask', async (t) => {
  let now = 5
  t.mock.method(performance, 'now', () => now)
  const { floor, told } = floorAt({ files: 999 })
  for (let asked = 0; asked < 10; asked++) await floor.isShort()
  assert.deepEqual(told, [{ directory: 'files', freeBytes: 999, floorBytes }])
  now += shortageToldMs - 1
  await floor.isShort()
  assert.equal(told.length, 1)
  now += 1
  await floor.isShort()
  assert.equal(told.length, 2)
})

test('the real disk is asked, also for a directory that is to be made', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-floor-'))
  t.after(() => rm(directory, { recursive: true }))
  const toBeMade = join(directory, 'a', 'b')
  assert.equal(await new DiskFloor([toBeMade], 1, () => assert.fail()).isShort(), false)
  assert.equal(await new DiskFloor([toBeMade], Number.MAX_SAFE_INTEGER, () => {}).isShort(), true)
})

test('a file is not begun below the floor, and one that is being written ends there', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-floor-'))
  t.after(() => rm(directory, { recursive: true }))
  let free = floorBytes
  const floor = new DiskFloor(
    [directory],
    floorBytes,
    () => {},
    async () => free,
  )
  const store = diskStore(directory, floor)
  const pathOf = (number: number) => `${'0'.repeat(36)}/0-1/Goal-${number}.ndjson.gz`
  const file = await store.create(pathOf(0))
  file.write(Buffer.alloc(64))
  free = floorBytes - 1
  await assert.rejects(store.create(pathOf(1)), DiskShort)
  assert.deepEqual(await readdir(join(directory, '0'.repeat(36), '0-1')), ['Goal-0.ndjson.gz'])
  const ended = finished(file)
  const write = () => {
    if (!file.destroyed) file.write(Buffer.alloc(256 * 1024), () => setImmediate(write))
  }
  write()
  await assert.rejects(ended, DiskShort)
})

test('a disk that is full counts as short; other faults do not', () => {
  assert.ok(isDiskShort(Object.assign(new Error(), { code: 'ENOSPC' })))
  assert.ok(isDiskShort(Object.assign(new Error(), { code: 'EDQUOT' })))
  assert.ok(!isDiskShort(Object.assign(new Error(), { code: 'EIO' })))
  assert.ok(!isDiskShort(undefined))
})
