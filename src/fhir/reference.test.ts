import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isId, isTypeName, localReference } from './reference.ts'

const bases = ['https://fhir.example.org/r4/clinic', 'http://127.0.0.1:8080/r4/clinic']
const longest = 'x'.repeat(64)

describe('a reference to a record of the same tenant', () => {
  const local: readonly [string, string, string][] = [
    ['Patient/1', 'Patient', '1'],
    ['Patient/a-B.9', 'Patient', 'a-B.9'],
    [`Patient/${longest}`, 'Patient', longest],
    ['Patient/1/_history/3', 'Patient', '1'],
    ['https://fhir.example.org/r4/clinic/Practitioner/7', 'Practitioner', '7'],
    ['http://127.0.0.1:8080/r4/clinic/Location/7/_history/2', 'Location', '7'],
    ['NotYetDefined/1', 'NotYetDefined', '1'],
  ]
  for (const [reference, type, id] of local) {
    it(`is ${reference}`, () => assert.deepEqual(localReference(reference, bases), { type, id }))
  }

  const other = [
    '#contained',
    '#',
    '',
    'Patient',
    'Patient/',
    '/Patient/1',
    'patient/1',
    'Patient/1/',
    'Patient/1/_history/',
    'Patient/1#part',
    'Patient?identifier=1',
    'Patient/a b',
    'Patient/a_b',
    `Patient/${longest}x`,
    'Patient/1\n',
    'urn:uuid:2f1e6a4e-6a51-4f4c-9d0e-1f6c2a6b7c8d',
    'urn:oid:1.2.3',
    'https://elsewhere.example.org/r4/clinic/Patient/1',
    'https://fhir.example.org/r4/clinic2/Patient/1',
    'https://fhir.example.org/r4/clinic/nested/Patient/1',
    'https://fhir.example.org/r4/clinic',
    'https://fhir.example.org/r4/clinic/',
    'HTTPS://fhir.example.org/r4/clinic/Patient/1',
  ]
  for (const reference of other) {
    it(`is not ${JSON.stringify(reference)}`, () => assert.equal(localReference(reference, bases), undefined))
  }
})

describe('names', () => {
  it('of records are 1 to 64 letters, digits, hyphens and dots', () => {
    for (const id of ['1', 'a.b-C', longest]) assert.ok(isId(id))
    for (const id of ['', 'a/b', 'a_b', 'é', `${longest}x`, 'a\n', 1, null, undefined]) assert.ok(!isId(id))
  })

  it('of types begin with a capital letter', () => {
    for (const name of ['Patient', 'Zz', 'X'.repeat(64)]) assert.ok(isTypeName(name))
    for (const name of ['patient', 'P', 'Pat1', 'Pat ient', '', 'X'.repeat(65), 7, undefined])
      assert.ok(!isTypeName(name))
  })
})
