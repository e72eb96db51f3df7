import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConditional, readIdentifierQuery, readIdentifierSearch } from './identifier-query.ts'

const rows: readonly [text: string, system: string | undefined, value?: string][] = [
  ['Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|123', 'http://hl7.org/fhir/sid/us-npi', '123'],
  ['Practitioner?identifier=http%3A%2F%2Fa%7Cb%2Bc', 'http://a', 'b+c'],
  ['Practitioner?identifier=http://a|b+c', 'http://a', 'b+c'],
  ['Practitioner?identifier=|7', '', '7'],
  ['Practitioner?identifier=a|b\\|c\\,d\\\\e', 'a', 'b|c,d\\e'],
  ['Practitioner?identifier=7', undefined],
  ['Practitioner?identifier=a|', undefined],
  ['Practitioner?identifier=a|b|c', undefined],
  ['Practitioner?identifier=a|b,a|c', undefined],
  ['Practitioner?identifier=a|b&active=true', undefined],
  ['Practitioner?identifier=a|%00', undefined],
  ['Practitioner?identifier=a|%EF%BF%BD', 'a', '\ufffd'],
  ['Practitioner?identifier=a|é%C3%A9', 'a', 'éé'],
  ['Practitioner?identifier=a|😀%F0%9F%98%80', 'a', '😀😀'],
  ['Practitioner?identifier=a|5%', 'a', '5%'],
  ['Practitioner?identifier=a|%ED%A0%80', undefined],
  ['Practitioner?identifier=a|%ff', undefined],
  ['Practitioner?identifier=a%C3|b', undefined],
  ['Practitioner?identifier=a|\ud800', undefined],
  ['Practitioner?name=x', undefined],
  ['Practitioner?', undefined],
  ['practitioner?identifier=a|b', undefined],
]

for (const [text, system, value] of rows) {
  test(`${text}: ${system === undefined ? 'cannot be looked up' : `${system} and ${value}`}`, () => {
    const read = readIdentifierQuery(text)
    if (system === undefined) assert.ok('unusable' in read)
    else assert.deepEqual(read, { type: 'Practitioner', system, value })
  })
}

test('If-None-Exist has the query alone, with or without a question mark', () => {
  assert.deepEqual(readIdentifierSearch('Patient', '?identifier=a|b'), { type: 'Patient', system: 'a', value: 'b' })
  assert.deepEqual(readIdentifierSearch('Patient', 'identifier=a|b'), { type: 'Patient', system: 'a', value: 'b' })
})

test('a conditional reference has a type and a question mark', () => {
  assert.ok(isConditional('Patient?identifier=a|b') && isConditional('Patient?x'))
  assert.ok(!isConditional('Patient/1') && !isConditional('http://a/Patient?identifier=1') && !isConditional('#a?b'))
})
