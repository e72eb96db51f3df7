import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Failure } from '../../failure.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { scratch } from './embedded.fixture.ts'
import type { Hold } from './hold.ts'
import { keep } from './keeper.ts'

const dead: Hold = { beat: () => false, release: () => {} }
const quiet = () => {}

test('a server that dies again and again is given up after five returns within a minute', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const place = prepareDataDirectory(scratch(t))
  let returns = 0
  const attach = async () => {
    returns += 1
    return dead
  }
  const keeper = keep(place, dead, attach, quiet)
  for (let beats = 0; beats < 10; beats += 1) {
    t.mock.timers.tick(500)
    await turn()
  }
  const failure = await keeper.lost
  assert.match(failure.message, /died 6 times within a minute/)
  assert.equal(returns, 5)
  await keeper.release()
})

test('deaths that are far apart are all mended', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const place = prepareDataDirectory(scratch(t))
  let alive = true
  let returns = 0
  const mortal: Hold = { beat: () => alive, release: () => {} }
  const attach = async () => {
    alive = true
    returns += 1
    return mortal
  }
  const keeper = keep(place, mortal, attach, quiet, undefined, () => Date.now())
  for (let death = 1; death <= 12; death += 1) {
    alive = false
    t.mock.timers.tick(500)
    await turn()
    t.mock.timers.tick(30_000)
    assert.equal(returns, death)
  }
  await keeper.release()
})

test('a server that cannot be attached to any more is given up with the reason', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const reason = new Failure('The disk is full.', 'Make room.')
  const place = prepareDataDirectory(scratch(t))
  const keeper = keep(place, dead, () => Promise.reject(reason), quiet)
  t.mock.timers.tick(500)
  assert.equal(await keeper.lost, reason)
  await keeper.release()
})

test('a server whose disk is full is waited for, however long it takes, and told again and again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const place = prepareDataDirectory(scratch(t))
  const full = new Failure('It does not start. Its log ends with:\nFATAL: … No space left on device', 'Make room.')
  const living: Hold = { beat: () => true, release: () => {} }
  let tries = 0
  const attach = async () => {
    if (++tries < 20) throw full
    return living
  }
  const events: string[] = []
  const keeper = keep(place, dead, attach, ({ event }) => events.push(event), 0)
  t.mock.timers.tick(500)
  while (!events.includes('database-ready')) await turn()
  assert.deepEqual(events, ['database-lost', ...Array.from({ length: 19 }, () => 'database-waiting'), 'database-ready'])
  await keeper.release()
})

test('who waits for room can still be stopped', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const place = prepareDataDirectory(scratch(t))
  let tries = 0
  const attach = async () => {
    tries += 1
    throw new Failure('No space left on device', 'Make room.')
  }
  const keeper = keep(place, dead, attach, quiet)
  t.mock.timers.tick(500)
  while (tries === 0) await turn()
  await keeper.release()
})
