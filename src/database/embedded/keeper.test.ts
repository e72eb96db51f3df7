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
  const keeper = keep(place, mortal, attach, quiet)
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
