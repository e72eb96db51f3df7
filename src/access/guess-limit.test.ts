import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuessLimit, guessersMax, guessesMax, guessWindowMs } from './guess-limit.ts'

function limitAt(start = 0) {
  const clock = { ms: start }
  const limit = new GuessLimit(() => clock.ms)
  const guess = (address: string, times: number) => {
    for (let at = 0; at < times; at++) limit.wrong(address)
  }
  return { clock, limit, guess }
}

test('the guess at the bound is let through, the next one is not, until the window is over', () => {
  const { clock, limit, guess } = limitAt()
  guess('192.0.2.1', guessesMax - 1)
  assert.equal(limit.waitMs('192.0.2.1'), 0)
  clock.ms = 1_000
  guess('192.0.2.1', 1)
  assert.equal(limit.waitMs('192.0.2.1'), guessWindowMs - 1_000)
  clock.ms = guessWindowMs - 1
  assert.equal(limit.waitMs('192.0.2.1'), 1)
  clock.ms = guessWindowMs
  assert.equal(limit.waitMs('192.0.2.1'), 0)
})

test('addresses do not count for each other, but those of one IPv6 network do', () => {
  const { limit, guess } = limitAt()
  guess('192.0.2.1', guessesMax)
  guess('2001:db8:1:2::1', guessesMax)
  assert.equal(limit.waitMs('192.0.2.2'), 0)
  assert.ok(limit.waitMs('2001:db8:1:2:ffff:1:2:3') > 0)
  assert.equal(limit.waitMs('2001:db8:1:3::1'), 0)
  assert.equal(limit.waitMs('::1'), 0)
  guess('::ffff:192.0.2.9', guessesMax)
  assert.equal(limit.waitMs('::ffff:192.0.2.8'), 0)
})

test('as many addresses as its bound are remembered; one more, and the oldest is forgotten', () => {
  const { limit, guess } = limitAt()
  const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
  guess(address(0), guessesMax)
  for (let at = 1; at < guessersMax; at++) limit.wrong(address(at))
  assert.ok(limit.waitMs(address(0)) > 0)
  limit.wrong(address(guessersMax))
  assert.equal(limit.waitMs(address(0)), 0)
})
