import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { entry, kickOffRequest, parametersBody, patientEntry } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import { condition, patient, put } from '../resources.ts'
import type { Scenario } from '../scenario.ts'

const page = ['12783127', '12783128', '12783129']
const pageEntries = [
  ...page.map((id) => patientEntry(`Patient/${id}`)),
  entry('_type', 'valueString', 'Condition,Provenance'),
  entry('includeAssociatedData', 'valueCode', 'RelevantProvenanceResources'),
  entry('_since', 'valueInstant', '2021-03-18T19:19:42.000Z'),
  entry('_outputFormat', 'valueString', 'application/fhir+ndjson'),
]

const reference = 'Parameters.parameter[0].valueReference.reference'
const minimal = '{"name":"patient","valueReference":{"reference":"Patient/minimal"}}'

/** T-1…T-12: the body and its shape. */
export const bodyScenarios: readonly Scenario[] = [
  {
    t: [1],
    rules: ['S-49', 'S-58', 'S-59'],
    does: "the page's example without its _typeFilter",
    outcome: '202, the Conditions of the three patients',
    run: async (suite) => {
      await put(
        suite,
        page.flatMap((id) => [patient(id), condition(`page-${id}`, id)]),
      )
      const body = { resourceType: 'Parameters', parameter: pageEntries }
      const found = await exported(suite, await suite.newCaller(), { body })
      assert.deepEqual(
        found.ids('Condition'),
        page.map((id) => `page-${id}`),
      )
    },
  },
  {
    t: [2],
    rules: ['S-1', 'S-21', 'S-29', 'S-53', 'S-54', 'S-55'],
    does: 'one patient and valid headers',
    status: 202,
  },
  {
    t: [3],
    rules: ['S-3', 'S-21'],
    does: 'a body without any patient',
    change: { patients: [], parameters: [entry('_type', 'valueString', 'Goal')] },
    status: 400,
    code: 'invalid',
    expression: 'Parameters.parameter',
    hl7: { status: 202 },
  },
  {
    t: [4],
    rules: ['S-20'],
    does: 'an empty parameter array',
    change: { patients: [] },
    status: 400,
    code: 'invalid',
    fine: 'required',
    expression: 'Parameters.parameter',
  },
  {
    t: [5],
    rules: ['S-20'],
    does: 'no parameter array',
    change: { body: { resourceType: 'Parameters' }, scope: 'system/Goal.read' },
    status: 400,
    code: 'invalid',
    expression: 'Parameters.parameter',
    hl7: { status: 202 },
  },
  {
    t: [5],
    rules: ['S-20'],
    does: 'parameter that is an object',
    change: { body: `{"resourceType":"Parameters","parameter":${minimal}}` },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.parameter',
  },
  {
    t: [6],
    rules: ['S-19'],
    does: 'resourceType Bundle',
    change: { body: `{"resourceType":"Bundle","parameter":[${minimal}]}` },
    status: 400,
    code: 'invalid',
    fine: 'structure',
    expression: 'Parameters.resourceType',
  },
  {
    t: [7],
    rules: ['S-19'],
    does: 'no resourceType',
    change: { body: `{"parameter":[${minimal}]}` },
    status: 400,
    code: 'invalid',
    fine: 'required',
    expression: 'Parameters.resourceType',
  },
  {
    t: [8],
    rules: ['S-19'],
    does: 'a body that is not JSON',
    change: { body: 'patient=1' },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [8],
    rules: ['S-19'],
    does: 'JSON that breaks off',
    change: { body: '{"resourceType":"Para' },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [9],
    rules: ['S-19'],
    does: 'an empty body',
    change: { body: '' },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  { t: [9], rules: ['S-19'], does: 'no body', change: { body: null }, status: 400, code: 'invalid', fine: 'structure' },
  {
    t: [10],
    rules: ['S-19'],
    does: 'a JSON array',
    change: { body: `[${minimal}]` },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [10],
    rules: ['S-19'],
    does: 'a JSON scalar',
    change: { body: 'true' },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [10],
    rules: ['S-19'],
    does: 'JSON null',
    change: { body: 'null' },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [10],
    rules: ['S-19', 'S-50'],
    does: 'arrays that nest 100,000 levels deep',
    change: { body: `{"resourceType":"Parameters","parameter":${'['.repeat(100_000)}${']'.repeat(100_000)}}` },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [11],
    rules: ['S-19'],
    does: 'a JSON key that stands twice',
    change: { body: `{"resourceType":"Parameters","parameter":[${minimal}],"parameter":[${minimal}]}` },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [11],
    rules: ['S-19'],
    does: 'a JSON key that stands twice deep inside, once escaped',
    change: {
      body: '{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":"Patient/minimal","r\\u0065ference":"Patient/2"}}]}',
    },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [11],
    rules: ['S-19'],
    does: 'a byte-order mark before the body',
    change: { body: `\ufeff${parametersBody([patientEntry('Patient/minimal')])}` },
    status: 202,
  },
  {
    t: [12],
    rules: ['S-19'],
    does: 'a body that is not UTF-8',
    change: { body: Buffer.from(`{"resourceType":"Parameters","x":"\xe9","parameter":[${minimal}]}`, 'latin1') },
    status: 400,
    code: 'invalid',
    fine: 'structure',
  },
  {
    t: [],
    rules: ['§8.3', 'S-21', 'S-26', 'S-43'],
    does: 'four mistakes in one body',
    outcome: '400 naming all four',
    run: async (suite) => {
      const change = {
        patients: [patientEntry('Group/1')],
        parameters: [
          entry('_type', 'valueCode', 'Condition'),
          entry('_since', 'valueInstant', 'yesterday'),
          entry('foo', 'valueString', 'bar'),
        ],
      }
      const answer = await suite.send(await kickOffRequest(suite, await suite.sharedCaller(), change))
      assert.equal(answer.status, 400)
      assert.deepEqual(
        outcomeOf(answer)
          .flatMap(({ expression }) => expression ?? [])
          .sort(),
        [
          reference,
          'Parameters.parameter[1].valueCode',
          'Parameters.parameter[2].valueInstant',
          'Parameters.parameter[3]',
        ],
      )
    },
  },
]
