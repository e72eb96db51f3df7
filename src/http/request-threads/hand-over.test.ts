import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify from 'fastify'
import { grantOf } from '../../access/scope.ts'
import { profiles } from '../../protocol/profile.ts'
import { BytesInFlight } from '../bytes/bytes-in-flight.ts'
import { countBytes } from '../bytes/counted-bytes.ts'
import { letIn } from '../caller.ts'
import { connectionBounds } from '../connection/connection-bounds.ts'
import { TooManyWaiting } from '../fair-queue.ts'
import { handleFaults } from '../faults.ts'
import { handOverRequests, ownBodyBytesMax } from './hand-over.ts'
import type { HandedAnswer, HandedRequest } from './handed-request.ts'

/** A server whose other thread does what `carry` says; its own answers are "own". */
function serving(
  t: TestContext,
  carry: (request: HandedRequest) => Promise<HandedAnswer>,
  charge = (_client: string, _cost: number) => {},
) {
  const app = Fastify()
  t.after(() => app.close())
  handleFaults(app)
  countBytes(app, new BytesInFlight(), connectionBounds)
  app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => {
      const grant = grantOf('clinic', 'client', ['system/*.write'], { wildcards: true })
      letIn(request, { grant, tenant: 'clinic', base: 'http://millrace.test/r4/clinic', profile: profiles.millennium })
    })
    handOverRequests(scope, { threads: { carry }, publicUrl: 'http://millrace.test' }, { charge })
    scope.post('/', async () => 'own')
    scope.get('/costly', { config: { costly: true } }, async () => 'own')
  })
  return app
}

const answerOf = (text: string, status = 200): HandedAnswer => ({
  status,
  headers: { etag: 'W/"1"' },
  payload: Buffer.from(text),
  charged: 0,
  length: text.length,
})

test('a body of the bound is read here, one byte more elsewhere; what is costly goes there without a body', async (t) => {
  const handed: HandedRequest[] = []
  const app = serving(t, async (request) => {
    handed.push(request)
    return answerOf('theirs', 201)
  })
  const post = (bytes: number) => app.inject({ method: 'POST', url: '/', payload: Buffer.alloc(bytes, 0x20) })
  for (const bytes of [1, ownBodyBytesMax - 1, ownBodyBytesMax]) assert.equal((await post(bytes)).body, 'own')
  assert.equal(handed.length, 0)
  const { statusCode, body, headers } = await post(ownBodyBytesMax + 1)
  assert.deepEqual([statusCode, body, headers.etag], [201, 'theirs', 'W/"1"'])
  assert.equal((await app.inject({ url: '/costly' })).body, 'theirs')
  const [large, costly] = handed
  assert.equal(large!.body!.length, ownBodyBytesMax + 1)
  assert.deepEqual(large!.caller, { tenant: 'clinic', client: 'client', scopes: ['system/*.write'] })
  assert.deepEqual([costly!.method, costly!.url, costly!.body], ['GET', '/costly', undefined])
})

test('when the other thread ends, the request is answered 500, and when too many wait 429 with Retry-After', async (t) => {
  const faults = [new Error('the thread of the request has ended'), new TooManyWaiting()]
  const app = serving(t, () => Promise.reject(faults.shift()))
  const lost = await app.inject({ url: '/costly' })
  assert.equal(lost.statusCode, 500)
  assert.equal(lost.json().issue[0].code, 'exception')
  const throttled = await app.inject({ url: '/costly' })
  assert.equal(throttled.statusCode, 429)
  assert.match(String(throttled.headers['retry-after']), /^[1-9]\d*$/)
})

test('a thread that ends because the database is away is an outage', async (t) => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const app = serving(t, () => Promise.reject(new Error('the thread of the request has ended', { cause })))
  const { statusCode, headers } = await app.inject({ url: '/costly' })
  assert.equal(statusCode, 503)
  assert.match(String(headers['retry-after']), /^[1-9]\d*$/)
})

test('what the other thread says that a request has brought is charged to its client', async (t) => {
  const charged: [string, number][] = []
  const app = serving(
    t,
    async () => ({ ...answerOf('theirs'), charged: 7 }),
    (...charge) => charged.push(charge),
  )
  await app.inject({ url: '/costly' })
  assert.deepEqual(charged, [['client', 7]])
})
