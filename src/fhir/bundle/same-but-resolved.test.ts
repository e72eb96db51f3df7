import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolutionsIn } from './same-but-resolved.ts'

const source =
  '{"resourceType":"Basic","id":"x","a":{"reference":"Practitioner?identifier=s|1"},"n":1.10,"b":{"reference":"Patient/p"}}'
const stored = (a: string, b = 'Patient/p', n = '1.10') =>
  `{"resourceType":"Basic","id":"x","meta":{"versionId":"3","lastUpdated":"2026-01-01T00:00:00Z"},"a":{"reference":"${a}"},"n":${n},"b":{"reference":"${b}"}}`
const query = { type: 'Practitioner', system: 's', value: '1' }

describe('a stored text is what a text with conditional references became', () => {
  for (const [what, text, expected] of [
    ['when they were resolved, if they mean that', stored('Practitioner/7'), [{ query, target: 'Practitioner/7' }]],
    ['when they were not', stored('Practitioner?identifier=s|1'), []],
    ['not when another type was put there', stored('Organization/7'), undefined],
    ['not when another condition stands there', stored('Practitioner?identifier=s|2'), undefined],
    ['not when another reference differs', stored('Practitioner/7', 'Patient/q'), undefined],
    ['not when anything else differs', stored('Practitioner/7', 'Patient/p', '1.1'), undefined],
  ] as const) {
    it(what, () => assert.deepEqual(resolutionsIn(text, source, 'x'), expected))
  }
})
