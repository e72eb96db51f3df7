import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { lookedMs, lookWaitMsMax, PeriodicLook } from './periodic-look.ts'

/** Looks whose ends a test decides. */
function hanging(t: TestContext, overdue?: string) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const looks: PromiseWithResolvers<string>[] = []
  const clock = { now: 0 }
  const begin = () => {
    const look = Promise.withResolvers<string>()
    looks.push(look)
    return look.promise
  }
  return { looks, clock, look: new PeriodicLook(begin, 'first', () => clock.now, overdue) }
}

test('a look is waited for so long, and none begins while one is under way', async (t) => {
  const { looks, clock, look } = hanging(t)
  let told: string | undefined
  const asked = look.tell().then((found) => {
    told = found
  })
  t.mock.timers.tick(lookWaitMsMax - 1)
  await turn()
  assert.equal(told, undefined)
  t.mock.timers.tick(1)
  await asked
  assert.equal(told, 'first')
  clock.now = lookedMs * 3
  assert.deepEqual([await look.tell(), looks.length], ['first', 1])
  looks[0]!.resolve('found')
  await turn()
  const next = look.tell()
  assert.equal(looks.length, 2)
  looks[1]!.reject(new Error('away'))
  assert.equal(await next, 'first', 'what cannot be asked')
})

test('what is overdue is told from when the next look were due', async (t) => {
  const { clock, look, looks } = hanging(t, 'overdue')
  const asked = look.tell()
  t.mock.timers.tick(lookWaitMsMax)
  await asked
  clock.now = lookedMs - 1
  assert.equal(await look.tell(), 'first')
  clock.now = lookedMs
  assert.equal(await look.tell(), 'overdue')
  looks[0]!.resolve('found')
  await turn()
  const next = look.tell()
  looks[1]!.resolve('found again')
  assert.equal(await next, 'found again')
})
