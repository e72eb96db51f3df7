import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'
import { RateLimit } from './rate-limit.ts'
import { failuresOfAddress, requestsOfClient, TokenLimits } from './tokens/token-limits.ts'

test('a burst is let in, then as many as the rate allows', () => {
  let ms = 5_000_000
  const limit = new RateLimit({ burst: 3, perSecond: 0.5, keysMax: 10 }, () => ms)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [0, 0, 0, 2],
  )
  assert.equal(limit.take('b'), 0)
  ms += 1_999
  assert.equal(limit.take('a'), 1)
  ms += 1
  assert.deepEqual(
    [1, 2].map(() => limit.take('a')),
    [0, 2],
  )
  ms += 3_600_000
  assert.deepEqual(
    [1, 2, 3, 4].map(() => limit.take('a')),
    [0, 0, 0, 2],
  )
})

test('an attempt that is given back does not count', () => {
  const limit = new RateLimit({ burst: 1, perSecond: 1, keysMax: 10 }, () => 5_000_000)
  for (let attempt = 0; attempt < 10; attempt++) {
    assert.equal(limit.take('a'), 0)
    limit.giveBack('a')
  }
  limit.giveBack('stranger')
  assert.equal(limit.size, 1)
})

test('callers that are remembered are bounded; the one that came first is forgotten', () => {
  const limit = new RateLimit({ burst: 1, perSecond: 1, keysMax: 100 }, () => 5_000_000)
  for (let caller = 0; caller < 10_000; caller++) assert.equal(limit.take(`caller ${caller}`), 0)
  assert.equal(limit.size, 100)
  assert.equal(limit.take('caller 9900'), 1)
  assert.equal(limit.take('caller 9899'), 0)
})

test('strangers that fail do not lock out a client, and a client does not lock out its address', () => {
  const limits = new TokenLimits(() => 5_000_000)
  for (let attempt = 0; attempt < failuresOfAddress.burst; attempt++) assert.equal(limits.admit('192.0.2.1'), 0)
  assert.equal(limits.admit('192.0.2.1'), 1)
  for (let attempt = 0; attempt < requestsOfClient.burst; attempt++) {
    assert.equal(limits.admit('192.0.2.2'), 0)
    assert.equal(limits.authenticated('192.0.2.2', 'client'), 0)
  }
  assert.equal(limits.admit('192.0.2.2'), 0)
  assert.equal(limits.authenticated('192.0.2.2', 'client'), 1)
  assert.equal(limits.admit('192.0.2.2'), 0)
  assert.equal(limits.authenticated('192.0.2.2', 'another'), 0)
})

for (const [address, network] of [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:0:5:1:2:3:4', '2001:db8:0:5::'],
  ['2001:0DB8::5', '2001:db8:0:0::'],
  ['::1', '0:0:0:0::'],
  ['fe80::1%eth0', 'fe80:0:0:0::'],
  ['1::', '1:0:0:0::'],
] as const) {
  test(`the caller at ${address} is ${network}`, () => assert.equal(networkOf(address), network))
}
