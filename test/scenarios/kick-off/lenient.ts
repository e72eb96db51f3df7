import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { condition, patient, put } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const lenient = { prefer: ['respond-async', 'handling=lenient'] }

/** An unsupported parameter: refused when strict, ignored with a warning when lenient. */
const unsupported = (
  t: number,
  rule: string,
  parameter: { readonly name: string },
  hl7?: { readonly status: 202 },
): readonly RequestRow[] => [
  {
    t: [t],
    rules: [rule, 'S-7', 'S-13'],
    does: `${parameter.name} (strict)`,
    change: { parameters: [parameter] },
    status: 400,
    code: 'invalid',
    fine: 'not-supported',
    expression: 'Parameters.parameter[1]',
    ...(hl7 ? { hl7 } : {}),
  },
  {
    t: [t],
    rules: [rule, 'S-13', 'O-4'],
    does: `${parameter.name} (lenient)`,
    change: { headers: lenient, parameters: [parameter] },
    status: 202,
    warnings: ['not-supported'],
    ...(hl7 ? { profile: 'millennium' } : {}),
  },
]

/** The same in a profile that does not have the parameter. */
const notInMillennium = (t: number, rule: string, parameter: { readonly name: string }): readonly RequestRow[] =>
  unsupported(t, rule, parameter, { status: 202 })

const malformed = (
  t: number | undefined,
  rule: string,
  does: string,
  parameter: object,
  fine: RequestRow['fine'] & string,
  expression: string,
): RequestRow => ({
  t: t === undefined ? [] : [t],
  rules: [rule],
  does,
  change: { headers: lenient, parameters: [parameter] },
  status: 400,
  code: 'invalid',
  fine,
  expression,
})

const at = 'Parameters.parameter[1]'

/** T-124…T-132, T-57, T-100: what is not supported, what is not Parameters, and what lenient handling may not forgive. */
export const lenientScenarios: readonly Scenario[] = [
  ...notInMillennium(124, 'S-7', entry('_elements', 'valueString', 'id')),
  {
    t: [125],
    rules: ['S-7', 'S-13'],
    does: '_elements (lenient)',
    outcome: '202, full records and a warning',
    run: async (suite) => {
      await put(suite, [patient('whole'), condition('whole-1', 'whole', { note: [{ text: 'kept' }] })])
      const change = {
        headers: lenient,
        patients: [patientEntry('Patient/whole')],
        parameters: [entry('_elements', 'valueString', 'id')],
      }
      const found = await exported(suite, await suite.newCaller(), change)
      assert.deepEqual(JSON.parse(found.lines('Condition')[0]!).note, [{ text: 'kept' }])
      assert.deepEqual(
        found.errors.map(({ severity, code, expression }) => [severity, code, expression]),
        [['warning', 'not-supported', ['Parameters.parameter[1]']]],
      )
    },
  },
  ...unsupported(126, 'S-22', entry('foo', 'valueString', 'bar')),
  ...unsupported(126, 'S-22', entry('__proto__', 'valueString', 'patient')),
  ...unsupported(126, 'S-22', entry('Patient', 'valueReference', { reference: 'Patient/minimal' })),
  ...notInMillennium(127, 'D17', entry('_until', 'valueInstant', '2024-01-01T00:00:00Z')),
  ...notInMillennium(127, 'D17', entry('organizeOutputBy', 'valueString', 'Patient')),
  ...notInMillennium(127, 'D17', entry('allowPartialManifests', 'valueBoolean', true)),
  malformed(128, 'S-50', 'an entry without a name', { valueString: 'x' }, 'required', `${at}.name`),
  malformed(128, 'S-50', 'an entry with a blank name', { name: ' ', valueString: 'x' }, 'required', `${at}.name`),
  malformed(
    129,
    'inv-1',
    'an entry with two values',
    { name: '_type', valueString: 'Condition', valueCode: 'Condition' },
    'invariant',
    at,
  ),
  malformed(130, 'inv-1', 'an entry with part only', { name: '_type', part: [{ name: 'x' }] }, 'structure', at),
  malformed(130, 'inv-1', 'an entry with resource only', { name: '_type', resource: {} }, 'structure', at),
  malformed(130, 'inv-1', 'an entry with a name only', { name: '_type' }, 'structure', at),
  malformed(
    131,
    '§15',
    'an entry with a modifierExtension',
    { name: '_type', valueString: 'Condition', modifierExtension: [{ url: 'x' }] },
    'extension',
    `${at}.modifierExtension`,
  ),
  {
    t: [132],
    rules: ['S-22'],
    does: '?_type=Condition in the URL (strict)',
    change: { path: '/Patient/$export?_type=Condition' },
    status: 400,
    code: 'invalid',
    fine: 'not-supported',
  },
  {
    t: [132],
    rules: ['S-22', 'S-13'],
    does: '?_type=Condition in the URL (lenient)',
    change: { path: '/Patient/$export?_type=Condition', headers: lenient },
    status: 202,
    warnings: ['not-supported'],
  },
  malformed(
    undefined,
    'O-4',
    'a _since that is no instant (lenient)',
    entry('_since', 'valueInstant', 'x'),
    'value',
    `${at}.valueInstant`,
  ),
  malformed(
    undefined,
    'O-4',
    'a patient that is no reference (lenient)',
    patientEntry('minimal'),
    'value',
    `${at}.valueReference.reference`,
  ),
  {
    t: [57],
    rules: ['S-33'],
    does: '_typeFilter without _type',
    change: { parameters: [entry('_typeFilter', 'valueString', 'Condition?code=1')] },
    status: 400,
    code: 'invalid',
    expression: `${at}.valueString`,
    hl7: { status: 202 },
  },
  {
    t: [99],
    rules: ['S-32'],
    does: '_typeFilter as valueUri',
    change: {
      parameters: [entry('_type', 'valueString', 'Condition'), entry('_typeFilter', 'valueUri', 'Condition?code=1')],
    },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter[2].valueUri',
  },
  {
    t: [100],
    rules: ['O-4'],
    does: 'a _typeFilter that cannot be applied (lenient): data are never widened silently',
    change: {
      headers: lenient,
      parameters: [
        entry('_type', 'valueString', 'Condition'),
        entry('_typeFilter', 'valueString', 'Condition?foo=bar'),
      ],
    },
    status: 422,
    code: 'invalid',
    fine: 'not-supported',
    expression: 'Parameters.parameter[2].valueString',
  },
]
