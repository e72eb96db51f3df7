import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operationsOf } from '../../../test/operations.ts'
import { documentedTypes } from '../../fhir/resource-types.ts'
import { profiles } from '../profile.ts'
import { base, grantFor, type Input } from './parse-request.fixture.ts'
import { parseExportRequest } from './parse-request.ts'

const everything = grantFor(documentedTypes)

const kickOff = (change: {
  readonly prefer?: string
  readonly accept?: string
  readonly parameters?: readonly object[]
}): Input => ({
  level: 'patient',
  headers: {
    accept: change.accept ?? 'application/fhir+json',
    contentType: 'application/json',
    prefer: [change.prefer ?? 'respond-async'],
  },
  query: {},
  base,
  body: JSON.stringify({
    resourceType: 'Parameters',
    parameter: [{ name: 'patient', valueReference: { reference: 'Patient/1' } }, ...(change.parameters ?? [])],
  }),
})
const withFilter = (valueString: string) =>
  kickOff({
    parameters: [
      { name: '_type', valueString: 'Condition' },
      { name: '_typeFilter', valueString },
    ],
  })
const withBody = (body: string): Input => ({ ...kickOff({}), body })

/** Requests of growing size that would like to be expensive. */
const hostile: Readonly<Record<string, (size: number) => Input>> = {
  'a Prefer of commas': (size) => kickOff({ prefer: ','.repeat(size) }),
  'a Prefer of quotes': (size) => kickOff({ prefer: '"'.repeat(size) }),
  'a Prefer of open quotes and lists': (size) => kickOff({ prefer: '",;='.repeat(size) }),
  'a Prefer of backslashes in quotes': (size) => kickOff({ prefer: `"${'\\'.repeat(size)}` }),
  'an Accept of ranges': (size) => kickOff({ accept: 'text/html;q=0.1,'.repeat(size) }),
  'an Accept of parameters': (size) => kickOff({ accept: `text/html${';a="b\\""'.repeat(size)}` }),
  'a _typeFilter of commas': (size) => withFilter(','.repeat(size)),
  'a _typeFilter of query starts': (size) => withFilter('A?,'.repeat(size)),
  'a _typeFilter of half query starts': (size) => withFilter(',AAAA'.repeat(size)),
  'a _typeFilter of backslashes': (size) => withFilter(`Condition?code=${'\\'.repeat(size)}`),
  'a _typeFilter of values': (size) => withFilter(`Condition?code=${'a,'.repeat(size)}a`),
  'a _typeFilter of parameters': (size) => withFilter(`Condition?${'code=a&'.repeat(size)}`),
  'nested arrays': (size) => withBody('['.repeat(size)),
  'empty entries': (size) => withBody(`{"resourceType":"Parameters","parameter":[${'{},'.repeat(size)}{}]}`),
  'many members': (size) =>
    withBody(`{"resourceType":"Parameters",${Array.from({ length: size }, (_, at) => `"k${at}":1`).join(',')}}`),
  'many unknown parameters': (size) =>
    kickOff({ parameters: Array.from({ length: size }, (_, at) => ({ name: `p${at}`, valueString: 'x' })) }),
  '_elements of unknown elements': (size) =>
    kickOff({ parameters: Array(size).fill({ name: '_elements', valueString: 'x,Patient.y' }) }),
  '_elements of one element': (size) =>
    kickOff({ parameters: Array(size).fill({ name: '_elements', valueString: 'subject,id' }) }),
  'many patients': (size) =>
    kickOff({ parameters: Array(size).fill({ name: 'patient', valueReference: { reference: 'Patient/1' } }) }),
}

for (const [does, inputOf] of Object.entries(hostile)) {
  test(`work grows no faster than the request: ${does}`, async () => {
    const parse = (size: number) => {
      const input = inputOf(size)
      return operationsOf(() => parseExportRequest(input, everything, profiles.hl7))
    }
    await parse(1_000)
    const [small, large] = [await parse(1_000), await parse(4_000)]
    assert.ok(small > 0 && large <= small * 5 + 1_000, `${small} operations for 1,000 pieces, ${large} for 4,000`)
  })
}
