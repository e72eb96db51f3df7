import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { backOffMs, retryAfterMs } from './waiting.ts'

const now = Date.parse('2026-01-02T03:04:05Z')

test('P2: Retry-After is seconds or an HTTP-date, from 100 ms to 600 s', () => {
  const rows: [string | undefined, number | undefined][] = [
    ['0', 100],
    ['0.5', 500],
    ['1', 1_000],
    ['600', 600_000],
    ['18000', 600_000],
    ['Fri, 02 Jan 2026 03:04:35 GMT', 30_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 100],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ]
  for (const [header, ms] of rows) assert.equal(retryAfterMs(header, now), ms, String(header))
})

test('without Retry-After the client waits from one second to a minute, never longer after fewer tries', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (tries, chance) => {
      const ms = backOffMs(tries, () => chance)
      assert.ok(ms >= 1_000 && ms <= 60_000)
      assert.ok(backOffMs(tries + 1, () => chance) >= ms)
    }),
  )
})
