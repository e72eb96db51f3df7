import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatInstant, parseInstant } from './instant.ts'

const utc = (text: string): number => Date.parse(text)

describe('an instant (S-43, S-44)', () => {
  const read: readonly [string, number][] = [
    ['2021-03-18T19:19:42.000Z', utc('2021-03-18T19:19:42.000Z')],
    ['2021-03-18T19:19:42Z', utc('2021-03-18T19:19:42.000Z')],
    ['2021-03-18T21:19:42+02:00', utc('2021-03-18T19:19:42.000Z')],
    ['2021-03-18T14:49:42-04:30', utc('2021-03-18T19:19:42.000Z')],
    ['2021-03-19T09:19:42+14:00', utc('2021-03-18T19:19:42.000Z')],
    ['2021-03-18T19:19:42.5Z', utc('2021-03-18T19:19:42.500Z')],
    ['2021-03-18T19:19:42.123999999Z', utc('2021-03-18T19:19:42.123Z')],
    ['2020-02-29T00:00:00Z', utc('2020-02-29T00:00:00Z')],
    ['2016-12-31T23:59:60Z', utc('2017-01-01T00:00:00Z')],
    ['0099-01-01T00:00:00Z', utc('0099-01-01T00:00:00Z')],
    ['9999-12-31T23:59:59.999Z', utc('9999-12-31T23:59:59.999Z')],
  ]
  for (const [text, expected] of read) {
    it(`${text} is read (T-115)`, () => assert.equal(parseInstant(text), expected))
  }

  const refused: readonly [string, string][] = [
    ['2021-03-18', 'T-113'],
    ['2021-03-18T19:19', 'T-113'],
    ['2021-03-18T19:19:42', 'T-113'],
    ['2021-03-18T19:19Z', 'T-113'],
    ['2021-02-30T00:00:00Z', 'T-114'],
    ['2021-02-29T00:00:00Z', 'T-114'],
    ['2021-04-31T00:00:00Z', 'T-114'],
    ['2021-13-01T00:00:00Z', 'T-114'],
    ['2021-00-01T00:00:00Z', 'T-114'],
    ['2021-01-00T00:00:00Z', 'T-114'],
    ['2021-01-01T24:00:00Z', 'T-114'],
    ['2021-01-01T00:60:00Z', 'T-114'],
    ['2021-01-01T00:00:61Z', 'T-114'],
    ['2021-01-01T00:00:00+14:01', 'S-43'],
    ['2021-01-01T00:00:00+15:00', 'S-43'],
    ['2021-01-01T00:00:00+2:00', 'S-43'],
    ['2021-01-01T00:00:00+0200', 'S-43'],
    ['2021-01-01T00:00:00.Z', 'S-43'],
    ['2021-01-01T00:00:00 02:00', 'S-43'],
    ['2021-01-01t00:00:00z', 'S-43'],
    [' 2021-01-01T00:00:00Z', 'S-43'],
    ['2021-01-01T00:00:00Z\n', 'S-43'],
    ['', 'S-43'],
    ['now', 'S-43'],
  ]
  for (const [text, rule] of refused) {
    it(`${JSON.stringify(text)} is refused (${rule})`, () => assert.equal(parseInstant(text), undefined))
  }

  it('is the same after it was rendered and read', () => {
    const ms = fc.integer({ min: utc('0001-01-01T00:00:00Z'), max: utc('9999-12-31T23:59:59.999Z') })
    fc.assert(fc.property(ms, (time) => assert.equal(parseInstant(formatInstant(time)), time)))
  })

  it('never lies after the written one, however fine the fraction: nothing is missed', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{1,12}$/), (fraction) => {
        const ms = parseInstant(`2021-03-18T19:19:42.${fraction}Z`)! - utc('2021-03-18T19:19:42Z')
        assert.equal(ms, Math.floor(Number(`0.${fraction.slice(0, 3)}`) * 1000 + 1e-6))
      }),
    )
  })
})
