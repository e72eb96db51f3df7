import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { patientsMax, requestBytesMax } from '../protocol/limits.ts'
import { profiles } from '../protocol/profile.ts'
import {
  costOf,
  limitRates,
  oneRequest,
  type Rates,
  RefusalPace,
  ratesDefault,
  refusalGapMs,
  refusalMs,
  sendThrottled,
  slowRefusals,
} from './rates.ts'

/** Routes that count by client, by job and by address; the clock stands still until the test moves it. */
async function counting(t: TestContext, rates: Partial<Rates>) {
  const clock = { ms: 1_000_000 }
  const app = Fastify()
  t.after(() => app.close())
  const limits = limitRates(app, { client: undefined, address: undefined, poll: undefined, ...rates }, () => clock.ms)
  app.get('/open', async () => 'open')
  app.get('/livez', { config: { countedBy: 'nobody' } }, async () => 'alive')
  for (const kind of ['client', 'poll'] as const) {
    app.get(`/${kind}/:name`, { config: { countedBy: 'client' } }, async (request, reply) => {
      const seconds = limits[kind]((request.params as { name: string }).name)
      return seconds === undefined ? 'fine' : sendThrottled(reply, seconds, profiles.millennium)
    })
  }
  await app.ready()
  return { app, clock }
}

const ask = (app: FastifyInstance, url: string, remoteAddress = '192.0.2.1') => app.inject({ url, remoteAddress })

/** The statuses of so many requests. */
async function statuses(app: FastifyInstance, url: string, count: number, address?: string): Promise<Set<number>> {
  const found = new Set<number>()
  for (let number = 0; number < count; number++) found.add((await ask(app, url, address)).statusCode)
  return found
}

test('a client may ask ten times its rate within ten seconds, not once more; then it starts anew', async (t) => {
  const { app, clock } = await counting(t, { client: 2 })
  assert.deepEqual(await statuses(app, '/client/a', 20), new Set([200]))
  clock.ms += 3_500
  const refusal = await ask(app, '/client/a')
  assert.deepEqual([refusal.statusCode, refusal.headers['retry-after']], [429, '7'])
  assert.deepEqual(refusal.json().issue[0].code, 'throttled')
  assert.deepEqual(await statuses(app, '/client/b', 20), new Set([200]), 'another client is not held up')
  clock.ms += 6_499
  assert.equal((await ask(app, '/client/a')).statusCode, 429)
  clock.ms += 1
  assert.deepEqual(await statuses(app, '/client/a', 20), new Set([200]))
})

test('T-169: questions about a job are counted by the second', async (t) => {
  const { app, clock } = await counting(t, { poll: 3 })
  assert.deepEqual(await statuses(app, '/poll/a', 3), new Set([200]))
  assert.equal((await ask(app, '/poll/a')).statusCode, 429)
  clock.ms += 1_000
  assert.equal((await ask(app, '/poll/a')).statusCode, 200)
})

test('an address is counted on open routes and unknown paths, an IPv6 one by its network', async (t) => {
  const { app } = await counting(t, { address: 1 })
  assert.deepEqual(await statuses(app, '/open', 9), new Set([200]))
  assert.equal((await ask(app, '/unknown')).statusCode, 404)
  assert.equal((await ask(app, '/open')).statusCode, 429)
  assert.equal((await ask(app, '/unknown')).statusCode, 429)
  assert.equal((await ask(app, '/livez')).statusCode, 200, 'health is never throttled')
  assert.equal((await ask(app, '/client/a')).statusCode, 200, 'neither is who is counted otherwise')
  assert.equal((await ask(app, '/open', '192.0.2.2')).statusCode, 200)
  assert.deepEqual(await statuses(app, '/open', 10, '2001:db8::1'), new Set([200]))
  assert.equal((await ask(app, '/open', '2001:db8::ffff:2')).statusCode, 429)
  assert.equal((await ask(app, '/open', '2001:db8:0:1::1')).statusCode, 200)
})

test('what is off is not counted', async (t) => {
  const { app } = await counting(t, {})
  for (const path of ['/open', '/client/a', '/poll/a']) {
    assert.deepEqual(await statuses(app, path, 200), new Set([200]))
  }
})

test('who was seen longest ago is forgotten when 10,000 others have come', async (t) => {
  const { app } = await counting(t, { client: 0.1 })
  const others = async (count: number) => {
    for (let number = 0; number < count; number++) await ask(app, `/client/other-${number}`)
  }
  assert.equal((await ask(app, '/client/a')).statusCode, 200)
  await others(9_999)
  assert.equal((await ask(app, '/client/a')).statusCode, 429, 'still known among 10,000')
  await others(10_000)
  assert.equal((await ask(app, '/client/a')).statusCode, 200)
})

test('a clock of the machine that is set, an hour back or ahead, neither locks out nor lets in', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000_000_000 })
  const app = Fastify()
  t.after(() => app.close())
  limitRates(app, { client: undefined, address: 0.1, poll: undefined })
  app.get('/open', async () => 'open')
  assert.equal((await ask(app, '/open')).statusCode, 200)
  for (const at of [1_000_000_000_000, 1_000_003_600_000, 999_996_400_000]) {
    t.mock.timers.setTime(at)
    const refusal = await ask(app, '/open')
    assert.equal(refusal.statusCode, 429)
    assert.ok(Number(refusal.headers['retry-after']) <= 10)
  }
})

test('what a request brings counts as a request for each so much of it', () => {
  for (const [what, amount] of Object.entries(oneRequest)) {
    assert.deepEqual(
      [0, amount - 1, amount, amount + 1, 2 * amount].map((brought) => costOf({ [what]: brought })),
      [0, 0, 1, 1, 2],
      what,
    )
  }
  assert.equal(costOf({ bodyBytes: oneRequest.bodyBytes, entries: 20, patients: 40 }), 5)
})

/** Limits of which only the client's is set, to so many requests in a window of ten seconds. */
async function limited(t: TestContext, inWindow: number) {
  const clock = { ms: 1_000_000 }
  const app = Fastify()
  t.after(() => app.close())
  const rates = { client: inWindow / 10, address: undefined, poll: undefined }
  return { clock, limits: limitRates(app, rates, () => clock.ms) }
}

test('a request that costs much takes the places of others; what it lacks is paid for in the next window', async (t) => {
  const { clock, limits } = await limited(t, 100)
  const ask = (key: string, cost: number) => {
    const seconds = limits.client(key)
    if (seconds === undefined) limits.charge(key, cost)
    return seconds
  }
  assert.equal(ask('a', 98), undefined, 'counts for 99')
  assert.equal(ask('a', 49), undefined, 'there was room for one')
  clock.ms += 4_000
  assert.equal(limits.client('a'), 16)
  assert.equal(ask('b', 50), undefined, 'another client is not held up')
  clock.ms += 15_999
  assert.equal(limits.client('a'), 1)
  clock.ms += 1
  assert.equal(ask('a', 99), undefined)
  assert.equal(limits.client('a'), 10)
})

test('what a request turns out to bring holds up the next ones, not itself', async (t) => {
  const { clock, limits } = await limited(t, 100)
  assert.equal(limits.client('a'), undefined)
  limits.charge('a', 98)
  assert.equal(limits.client('a'), undefined)
  assert.equal(limits.client('a'), 10)
  clock.ms += 10_000
  limits.charge('b', 1_000_000)
  assert.equal(limits.client('b'), 10, 'nothing costs more than a window')
})

test('with the defaults, a client may load and export as clients do', () => {
  const inWindow = ratesDefault.client! * 10
  const largestBody = 1 + costOf({ bodyBytes: requestBytesMax })
  const export20000 = 1 + costOf({ bodyBytes: 5_000_000, patients: patientsMax })
  const bundle = 1 + costOf({ bodyBytes: 1_000_000, entries: 500 })
  assert.ok(largestBody * 15 < inWindow, `${largestBody}`)
  assert.ok(export20000 * 5 < inWindow, `${export20000}`)
  assert.ok(bundle * 100 < inWindow, `${bundle}`)
})

test('a 429 is kept back, and nothing else is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const app = Fastify()
  t.after(() => app.close())
  slowRefusals(app)
  app.get('/:status', async (request, reply) =>
    reply.code(Number((request.params as { status: string }).status)).send('x'),
  )
  assert.equal((await ask(app, '/404')).statusCode, 404)
  let answered = false
  const refused = ask(app, '/429').then(({ statusCode }) => {
    answered = true
    return statusCode
  })
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  }
  await turns()
  t.mock.timers.tick(refusalMs - 1)
  await turns()
  assert.equal(answered, false)
  t.mock.timers.tick(1)
  assert.equal(await refused, 429)
})

test('refusals of one connection leave a moment later and one by one, a hundred of them before the least wait is over; others do not wait', () => {
  const pace = new RefusalPace()
  const [one, other] = [{}, {}]
  const waits = Array.from({ length: 100 }, () => pace.msOf(one, 5_000))
  assert.deepEqual(
    waits,
    waits.map((_, at) => refusalMs + at * refusalGapMs),
  )
  assert.ok(waits.at(-1)! < 1_250)
  assert.equal(pace.msOf(other, 5_000), refusalMs)
  assert.equal(pace.msOf(one, 5_000 + refusalMs), 100 * refusalGapMs)
  assert.equal(pace.msOf(one, 60_000), refusalMs, 'a wait is not saved up')
})
