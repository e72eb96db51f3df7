import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { documentedTypes } from '../../fhir/resource-types.ts'
import type { Problem } from '../problem.ts'
import { type Profile, type ProfileName, profileNames, profiles, servedAs } from '../profile.ts'
import { findingsMax } from './findings.ts'
import { anyInput, grantFor, type Input } from './parse-request.fixture.ts'
import { type ParsedRequest, parseExportQuery, parseExportRequest } from './parse-request.ts'

const runs = { numRuns: 2_000 }
const everything = grantFor(documentedTypes)

const anyProfile: fc.Arbitrary<Profile> = fc.oneof(
  fc.constantFrom<ProfileName>(...profileNames).map((name) => profiles[name]),
  fc.constant(servedAs({ profile: 'millennium', strict: true, referenceWalk: 'one-hop' })),
)
const anyGrant = fc.oneof(fc.constant(everything), fc.subarray([...documentedTypes]).map(grantFor))

const isText = (text: string): boolean => text.trim() !== '' && text.isWellFormed()

function checkProblem({ status, severity, code, text, diagnostics, expression }: Problem): void {
  assert.ok([400, 403, 406, 415, 422].includes(status), String(status))
  assert.equal(severity, 'error')
  assert.match(code, /^[a-z-]+$/)
  assert.ok(isText(text), text)
  assert.ok(diagnostics === undefined || isText(diagnostics), diagnostics)
  for (const path of expression ?? []) assert.match(path, /^Parameters\.\w+(\[\d+\])?(\.[\w ]+)*/)
}

function checkParsed(parsed: ParsedRequest): void {
  if ('request' in parsed) return
  assert.ok(parsed.problems.length > 0 && parsed.problems.length <= findingsMax)
  assert.ok(parsed.total >= parsed.problems.length)
  for (const problem of parsed.problems) checkProblem(problem)
}

test('whatever comes in is either a request or a list of complete problems', () => {
  fc.assert(
    fc.property(anyInput, anyGrant, anyProfile, (input, grant, profile) => {
      checkParsed(parseExportRequest(input, grant, profile))
      checkParsed(parseExportQuery({ ...input, hasBody: false }, grant, profile))
    }),
    runs,
  )
})

/** The entries of a body that was accepted. */
const entriesOf = ({ body }: Input): { name: string; valueString?: string; valueReference?: { reference: string } }[] =>
  JSON.parse(body!.replace(/^\ufeff/, '')).parameter ?? []

test('S-6, S-21, S-25: an accepted request has the patients and types of the body, and no type without its scope', () => {
  let accepted = 0
  fc.assert(
    fc.property(anyInput, anyGrant, anyProfile, (input, grant, profile) => {
      const parsed = parseExportRequest(input, grant, profile)
      if (!('request' in parsed)) return
      accepted++
      const { request } = parsed
      const entries = entriesOf(input)
      const named = entries.filter(({ name }) => name === 'patient').map((entry) => entry.valueReference!.reference)
      assert.deepEqual(
        request.patients,
        [...new Set(named)].map((reference) => reference.split('/').at(-1)),
      )
      assert.ok(request.types.length > 0 && request.types.every(grant.canRead))
      const listed = entries.filter(({ name }) => name === '_type').map(({ valueString }) => valueString!.split(','))
      if (listed.length > 0) {
        const types = new Set(listed.flat().map((item) => item.trim()))
        // D18: includeAssociatedData adds Provenance.
        if (entries.some(({ name }) => name === 'includeAssociatedData')) types.add('Provenance')
        assert.ok(request.types.every((type) => types.has(type)))
      }
      const filtered = new Set(Object.keys(request.filters))
      assert.ok(listed.length === 0 || request.types.filter((type) => filtered.has(type)).length === filtered.size)
    }),
    runs,
  )
  assert.ok(accepted > 100, `${accepted} requests were accepted`)
})

test('O-4: lenient handling accepts what strict handling accepts, and exports the same', () => {
  fc.assert(
    fc.property(anyInput, anyGrant, anyProfile, (input, grant, profile) => {
      const handled = (prefer: string) =>
        parseExportRequest({ ...input, headers: { ...input.headers, prefer: [prefer] } }, grant, profile)
      const strict = handled('respond-async')
      const lenient = handled('respond-async, handling=lenient')
      if ('request' in strict) {
        assert.ok('request' in lenient)
        assert.deepEqual(lenient.request, { ...strict.request, lenient: true })
      } else if ('request' in lenient) {
        assert.ok(lenient.request.warnings.length >= strict.total)
        assert.ok(
          strict.problems.every(
            ({ status, text }) =>
              status === 400 && /is not supported|cannot be exported|is no root element|cannot be organized/.test(text),
          ),
        )
      }
    }),
    runs,
  )
})
