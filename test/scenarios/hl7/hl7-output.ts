import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Manifest } from '../../../src/protocol/answer/manifest.ts'
import { manifestFilesMax } from '../../../src/protocol/limits.ts'
import { exported, finishedManifest, startExport } from '../exported.ts'
import { entry, kickOffRequest, patientEntry } from '../kick-off.ts'
import { assertRefused } from '../outcome.ts'
import { condition, observation, patient, provenance, put, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'

const elements = (value: string) => entry('_elements', 'valueString', value)
const organized = (value: string) => entry('organizeOutputBy', 'valueString', value)
const lenient = { prefer: 'respond-async, handling=lenient' }
const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

const refused = (rule: string, parameter: { readonly name: string }, fine: 'value' | 'not-supported'): RequestRow[] => {
  const [valueName] = Object.keys(parameter).filter((name) => name !== 'name')
  const row = { t: [], rules: [rule], profile: 'hl7' as const }
  const value = JSON.stringify(Object.values(parameter)[1])
  return [
    {
      ...row,
      does: `${parameter.name} ${value}`,
      change: { parameters: [parameter] },
      status: 400,
      code: fine,
      expression: `Parameters.parameter[1].${valueName}`,
    },
    {
      ...row,
      does: `${parameter.name} ${value} (lenient)`,
      change: { parameters: [parameter], headers: lenient },
      status: 202,
      warnings: [fine],
    },
  ]
}

const headerOf = (owner: string) => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'header', valueReference: { reference: `Patient/${owner}` } }],
})

/** D16, D17: what records and files look like. */
export const outputScenarios: readonly Scenario[] = [
  ...refused('D16', elements('Patient.name.family'), 'value'),
  ...refused('D16', elements('Patient.colour'), 'value'),
  ...refused('D16', elements('Parameters.parameter'), 'value'),
  ...refused('D16', elements('__proto__'), 'value'),
  ...refused('D17', organized('Encounter'), 'not-supported'),
  ...refused('D17', organized('patient'), 'value'),
  {
    t: [],
    rules: ['D17'],
    profile: 'hl7',
    does: 'allowPartialManifests that is no boolean (lenient)',
    change: { parameters: [entry('allowPartialManifests', 'valueBoolean', 'yes')], headers: lenient },
    status: 400,
    code: 'value',
    expression: 'Parameters.parameter[1].valueBoolean',
  },
  {
    t: [],
    rules: ['D17', 'O-10'],
    profile: 'hl7',
    does: '_until twice',
    change: { parameters: Array(2).fill(entry('_until', 'valueInstant', '2024-01-01T00:00:00Z')) },
    status: 400,
    code: 'structure',
    expression: 'Parameters.parameter[2]',
  },
  {
    t: [],
    rules: ['D17', 'O-4'],
    profile: 'hl7',
    does: 'an _until that is no instant (lenient)',
    change: { parameters: [entry('_until', 'valueInstant', '2024')], headers: lenient },
    status: 400,
    code: 'value',
    expression: 'Parameters.parameter[1].valueInstant',
  },
  {
    t: [124],
    rules: ['D16', '§11.3'],
    does: '_elements of one type and of all types',
    outcome: 'those, the mandatory ones and modifiers, to the letter, tagged SUBSETTED',
    run: async (suite) => {
      const text =
        '{"resourceType":"Observation","id":"el-o","status":"final","code":{"text":"a"},"subject":{"reference":"Patient/el"},' +
        '"valueQuantity":{"value":1.10},"note":[{"text":"no"}],"performer":[{"reference":"Practitioner/el-p"}]}'
      const practitioner = { resourceType: 'Practitioner', id: 'el-p', name: [{ family: 'x' }], gender: 'other' }
      const person = { ...patient('el'), active: true, gender: 'other', birthDate: '2000-01-01' }
      await put(suite, [practitioner, person, text, provenance('el-v', ['Observation/el-o'])], 'commons')
      const change = {
        patients: [patientEntry('Patient/el')],
        parameters: [elements('Patient.gender,subject'), elements('Observation.value')],
      }
      const found = await exported(suite, await suite.newCaller('commons'), change)
      const members = (type: string) => Object.keys(JSON.parse(found.lines(type)[0]!)).sort()
      assert.deepEqual(members('Patient'), ['active', 'gender', 'id', 'meta', 'resourceType'])
      const value = ['code', 'id', 'meta', 'resourceType', 'status', 'subject', 'valueQuantity']
      assert.deepEqual(members('Observation'), value)
      assert.ok(found.lines('Observation')[0]?.includes('"valueQuantity":{"value":1.10}'))
      assert.deepEqual(members('Provenance'), ['agent', 'id', 'meta', 'recorded', 'resourceType', 'target'])
      assert.deepEqual(members('Practitioner'), ['id', 'meta', 'resourceType'])
      for (const type of found.types) {
        assert.deepEqual(JSON.parse(found.lines(type)[0]!).meta.tag, [subsetted], type)
      }
    },
  },
  {
    t: [127],
    rules: ['D17', '§11.3', '§11.5'],
    does: 'organizeOutputBy Patient',
    outcome: 'a block for each patient: Parameters, the Patient, the rest; no type in the manifest',
    run: async (suite) => {
      const seen = { performer: [referenceTo('Practitioner/ob-p'), referenceTo('Practitioner/ob-none')] }
      await put(
        suite,
        [
          patient('ob1'),
          patient('ob2'),
          patient('ob3'),
          { resourceType: 'Practitioner', id: 'ob-p' },
          condition('ob-c1', 'ob1'),
          observation('ob-o1', 'ob1', seen),
          observation('ob-o2', 'ob2', seen),
          provenance('ob-v', ['Condition/ob-c1', 'Observation/ob-o2']),
        ],
        'commons',
      )
      const owners = ['ob1', 'ob2', 'ob3']
      const parameters = [organized('Patient')]
      const patients = owners.map((id) => patientEntry(`Patient/${id}`))
      const found = await exported(suite, await suite.newCaller('commons'), { patients, parameters })
      assert.equal(found.manifest.outputOrganizedBy, 'Patient')
      for (const file of [...found.manifest.output, ...found.manifest.error]) assert.equal(file.type, undefined)
      const lines = found.files.flat().map((line) => JSON.parse(line))
      const keys = lines.map(({ resourceType, id }) => (id === undefined ? resourceType : `${resourceType}/${id}`))
      assert.deepEqual(keys, [
        ...[
          'Parameters',
          'Patient/ob1',
          'Condition/ob-c1',
          'Observation/ob-o1',
          'Provenance/ob-v',
          'Practitioner/ob-p',
        ],
        ...['Parameters', 'Patient/ob2', 'Observation/ob-o2', 'Provenance/ob-v', 'Practitioner/ob-p'],
        ...['Parameters', 'Patient/ob3'],
      ])
      assert.deepEqual(
        lines.filter(({ resourceType }) => resourceType === 'Parameters'),
        owners.map(headerOf),
      )
      assert.deepEqual(
        found.errors.map(({ diagnostics }) => diagnostics),
        ['Practitioner/ob-none'],
      )
    },
  },
  {
    t: [],
    rules: ['D17'],
    does: 'organizeOutputBy Patient and Latest Provenances, _elements, _typeFilter and _type without Patient',
    outcome: 'all of them apply inside the blocks; a patient without a record has no block',
    run: async (suite) => {
      await put(
        suite,
        [
          patient('oc1'),
          patient('oc2'),
          condition('oc-a', 'oc1', { code: { coding: [{ code: 'a' }] }, note: [{ text: 'x' }] }),
          condition('oc-b', 'oc1', { code: { coding: [{ code: 'b' }] } }),
          condition('oc-c', 'oc2', { code: { coding: [{ code: 'b' }] } }),
          provenance('oc-old', ['Condition/oc-a'], 1),
          provenance('oc-new', ['Condition/oc-a'], 2),
          provenance('oc-other', ['Condition/oc-b'], 3),
        ],
        'commons',
      )
      const parameters = [
        organized('Patient'),
        entry('_type', 'valueString', 'Condition'),
        entry('_typeFilter', 'valueString', 'Condition?code=a'),
        entry('includeAssociatedData', 'valueCode', 'LatestProvenanceResources'),
        elements('code'),
      ]
      const patients = ['oc1', 'oc2'].map((id) => patientEntry(`Patient/${id}`))
      const found = await exported(suite, await suite.newCaller('commons'), { patients, parameters })
      const lines = found.files.flat().map((line) => JSON.parse(line))
      assert.deepEqual(
        lines.map(({ id }) => id),
        [undefined, 'oc-a', 'oc-new'],
      )
      assert.deepEqual(lines[0], headerOf('oc1'))
      assert.deepEqual(Object.keys(lines[1]).sort(), ['code', 'id', 'meta', 'resourceType', 'subject'])
    },
  },
  {
    t: [],
    rules: ['D5', 'D17'],
    does: 'a system export that is organized by Patient',
    outcome: '202 with a warning: what belongs to nobody is left out',
    run: async (suite) => {
      const caller = await suite.newCaller('commons')
      const request = await kickOffRequest(suite, caller, {
        path: '/$export',
        patients: [],
        parameters: [organized('Patient'), entry('_type', 'valueString', 'Goal')],
      })
      const answer = await suite.send(request)
      assert.equal(answer.status, 202)
      assert.match(answer.body.toString('utf8'), /belong to no patient are left out/)
    },
  },
  {
    t: [127],
    rules: ['D17', '§11.5'],
    does: 'allowPartialManifests and one file more than a manifest lists',
    outcome: 'a second manifest, linked by next; each file once; a third is 404',
    run: async (suite) => {
      const caller = await suite.newCaller('commons')
      const parameters = [
        entry('allowPartialManifests', 'valueBoolean', true),
        entry('_type', 'valueString', 'Patient'),
      ]
      const status = await startExport(suite, caller, { parameters })
      const small = await finishedManifest(suite, caller, status)
      assert.deepEqual([small.output.length, small.link], [1, undefined])

      const job = status.split('/').at(-1)!
      const more = Array.from({ length: manifestFilesMax }, () => randomUUID())
      await suite.server.pool.query(
        `insert into part (id, job, partition, number, kind, type, path, records, bytes, gzip_bytes)
         select id, $1, 9, number, 'output', 'Patient', '', 1, 1, 1 from unnest($2::uuid[]) with ordinality as f(id, number)`,
        [job, more],
      )
      const first = await finishedManifest(suite, caller, status)
      assert.deepEqual(first.link, [{ relation: 'next', url: `${status}?page=2` }])
      const second = await finishedManifest(suite, caller, first.link![0].url)
      assert.deepEqual([first.output.length, second.output.length, second.link], [manifestFilesMax, 1, undefined])
      const urls = [...first.output, ...second.output].map(({ url }) => url)
      assert.equal(new Set(urls).size, manifestFilesMax + 1)
      const rest = ({ output: _output, link: _link, ...same }: Manifest) => same
      assert.deepEqual(rest(first), rest(second), 'K: all else is the same in both')
      assert.deepEqual(await finishedManifest(suite, caller, `${status}?page=1`), first)
      for (const page of ['3', '0', '-1', '1e0', '', 'x', '9999999999']) {
        let answer = await suite.ask(caller, 'GET', `${status}?page=${page}`)
        // A status may be asked for so often only (T-169).
        for (; answer.status === 429; answer = await suite.ask(caller, 'GET', `${status}?page=${page}`))
          await pause(Number(answer.headers['retry-after']) * 1000)
        assertRefused(answer, 404, 'not-found')
      }
    },
  },
]
