import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { retryAfterSecondsMax, retryAfterSecondsMin } from '../limits.ts'
import { fractionOf, type Progress, progressText, retryAfterSeconds } from './progress.ts'

const progress: fc.Arbitrary<Progress> = fc.record({
  exported: fc.nat(10_000_000),
  planned: fc.nat(10_000_000),
  seconds: fc.double({ min: 0, max: 1e7, noNaN: true }),
})

describe('the progress of a job', () => {
  it('is never shown as complete before the job is', () => {
    fc.assert(
      fc.property(progress, (state) => {
        const fraction = fractionOf(state)
        assert.ok(fraction >= 0 && fraction <= 0.99)
      }),
    )
    assert.equal(fractionOf({ exported: 10, planned: 10, seconds: 1 }), 0.99)
  })

  it('is nothing while nothing is planned', () => {
    assert.equal(fractionOf({ exported: 0, planned: 0, seconds: 5 }), 0)
  })

  it('fits into X-Progress: fewer than 100 characters (P3)', () => {
    fc.assert(fc.property(progress, (state) => assert.ok(progressText(state).length < 100)))
    assert.equal(progressText({ exported: 25, planned: 100, seconds: 1 }), '25% (25 of about 100 records)')
  })
})

describe('Retry-After', () => {
  it('is a whole number of seconds within its bounds', () => {
    fc.assert(
      fc.property(progress, (state) => {
        const seconds = retryAfterSeconds(state)
        assert.ok(Number.isInteger(seconds))
        assert.ok(seconds >= retryAfterSecondsMin && seconds <= retryAfterSecondsMax)
      }),
    )
  })

  it('is half of the time that remains at the rate so far', () => {
    assert.equal(retryAfterSeconds({ exported: 25, planned: 100, seconds: 100 }), 150)
    assert.equal(retryAfterSeconds({ exported: 90, planned: 100, seconds: 90 }), 5)
  })

  it('grows with the time for which nothing is known', () => {
    assert.equal(retryAfterSeconds({ exported: 0, planned: 0, seconds: 0 }), retryAfterSecondsMin)
    assert.equal(retryAfterSeconds({ exported: 0, planned: 100, seconds: 30 }), 30)
    assert.equal(retryAfterSeconds({ exported: 0, planned: 100, seconds: 1e6 }), retryAfterSecondsMax)
  })
})
