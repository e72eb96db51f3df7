import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { patientEntry } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import { condition, encounter, patient, put, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'
import { answered, type Entry, keyAt, post, putOf, statuses, stored } from './bundle-exchange.ts'

const npi = 'http://hl7.org/fhir/sid/us-npi'
const there = 'http://there.example/fhir'
const uuid = (last: string) => `urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6${last}`

const creating = (
  resource: { readonly resourceType: string; readonly [member: string]: unknown },
  fullUrl?: string,
) => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  resource,
  request: { method: 'POST', url: resource.resourceType },
})

const about = (reference: string, more: object = {}) => ({
  resourceType: 'Condition',
  subject: referenceTo(reference),
  ...more,
})

const person = (id?: string) => ({ resourceType: 'Patient', ...(id === undefined ? {} : { id }) })

/** Two entries: a patient, and who refers to it. */
interface Meaning {
  readonly does: string
  readonly entries: readonly [Entry, Entry]
  /** What the reference becomes, if not the patient of the first entry. */
  readonly stays?: string
}

const meanings: readonly Meaning[] = [
  {
    does: 'an absolute fullUrl',
    entries: [creating(person(), `${there}/Patient/a`), creating(about(`${there}/Patient/a`))],
  },
  {
    does: 'an absolute fullUrl with a version',
    entries: [creating(person(), `${there}/Patient/a`), creating(about(`${there}/Patient/a/_history/3`))],
  },
  {
    does: 'a relative reference from the same root',
    entries: [creating(person(), `${there}/Patient/who-1`), creating(about('Patient/who-1'), `${there}/Condition/c`)],
  },
  {
    does: 'a relative reference from another root',
    entries: [creating(person(), `${there}/Patient/who-1`), creating(about('Patient/who-1'), 'http://x/Condition/c')],
    stays: 'Patient/who-1',
  },
  {
    does: 'a relative reference from no root to a stated id',
    entries: [creating(person('who-1'), uuid('01')), creating(about('Patient/who-1'), uuid('02'))],
  },
  {
    does: 'a relative reference without any fullUrl',
    entries: [creating(person('who-1')), creating(about('Patient/who-1'))],
  },
  {
    does: 'a relative reference from no root to the end of a fullUrl',
    entries: [creating(person(), `${there}/Patient/who-1`), creating(about('Patient/who-1'), uuid('02'))],
  },
  {
    does: 'a relative reference from no root to the end of a fullUrl whose resource states another id',
    entries: [creating(person('who-5'), `${there}/Patient/who-1`), creating(about('Patient/who-1'), uuid('02'))],
  },
  {
    does: 'a relative reference from the same root to an id that R4 does not allow',
    entries: [creating(person(), `${there}/Patient/who_1`), creating(about('Patient/who_1'), `${there}/Condition/c_1`)],
  },
  {
    does: 'a relative reference from no root to a stated id that R4 does not allow',
    entries: [creating(person('who_1'), uuid('01')), creating(about('Patient/who_1'), uuid('02'))],
  },
  {
    does: 'a uuid in other case',
    entries: [creating(person(), uuid('0A').toUpperCase()), creating(about(uuid('0a')))],
  },
  { does: 'an oid', entries: [creating(person(), 'urn:oid:1.2.3'), creating(about('urn:oid:1.2.3'))] },
  {
    does: 'an absolute URL of what is put',
    entries: [
      { ...putOf(patient('who-2')), fullUrl: `${there}/Patient/who-2` },
      creating(about(`${there}/Patient/who-2`)),
    ],
  },
  {
    does: 'a fullUrl of a record that is put under another id',
    entries: [
      { ...putOf(patient('who-3')), fullUrl: `${there}/Patient/who-1` },
      creating(about('Patient/who-1'), `${there}/Condition/c`),
    ],
  },
  {
    does: 'an absolute URL that no entry has',
    entries: [creating(person(), `${there}/Patient/a`), creating(about(`${there}/Patient/b`))],
    stays: `${there}/Patient/b`,
  },
  {
    does: 'a relative reference with a version to what is put',
    entries: [putOf(patient('who-2')), creating(about('Patient/who-2/_history/1'))],
    stays: 'Patient/who-2/_history/1',
  },
]

const meaningRows: readonly Scenario[] = meanings.map(({ does, entries, stays }) => ({
  t: [],
  rules: ['FHIR transaction', 'FHIR references'],
  does: `a transaction that refers to a patient by ${does}`,
  outcome: stays === undefined ? 'the reference is to that patient' : `the reference stays ${stays}`,
  run: async (suite) => {
    await put(suite, [patient('who-1')])
    const caller = await suite.sharedCaller()
    for (const order of [entries, entries.toReversed()]) {
      const answer = await post(suite, caller, 'transaction', order)
      assert.equal(answer.status, 200, answer.body.toString('utf8'))
      const at = order.indexOf(entries[0])
      const { subject } = await stored(suite, caller, keyAt(answer, 1 - at))
      assert.equal(subject.reference, stays ?? keyAt(answer, at))
    }
  },
}))

/** Refusals of whole transactions: what is said of which entries. */
const refusals: readonly {
  readonly does: string
  readonly entries: readonly Entry[]
  readonly status?: number
  readonly problems: readonly (readonly [entry: number, text: string])[]
}[] = [
  {
    does: 'two entries of one fullUrl (bdl-7)',
    entries: [creating(person(), uuid('0a')), creating(person(), uuid('0A')), creating(person(), uuid('0b'))],
    problems: [0, 1].map((entry) => [entry, 'Several entries of the Bundle have the same fullUrl.']),
  },
  {
    does: 'urns that no entry has, and a missing resource',
    entries: [
      creating(about(uuid('01'))),
      creating(about('urn:oid:1.2')),
      { request: { method: 'POST', url: 'Patient' } },
    ],
    problems: [
      [0, 'A reference names no entry of the Bundle.'],
      [1, 'A reference names no entry of the Bundle.'],
      [2, 'The entry has no resource.'],
    ],
  },
  {
    does: 'a reference to an id that two entries state',
    entries: [creating(person('x'), uuid('01')), putOf(patient('x')), creating(about('Patient/x'))],
    problems: [[2, 'A reference may mean several entries of the Bundle.']],
  },
  {
    does: 'a reference to an id that one entry states, and in which the fullUrl of another ends',
    entries: [
      creating(person('x'), uuid('01')),
      creating(person('y'), `${there}/Patient/x`),
      creating(about('Patient/x')),
    ],
    problems: [[2, 'A reference may mean several entries of the Bundle.']],
  },
  {
    does: 'a fullUrl with a version (bdl-8), to which another entry refers',
    entries: [creating(person(), `${there}/Patient/x/_history/2`), creating(about(`${there}/Patient/x`))],
    problems: [[0, 'fullUrl must not name a version.']],
  },
  {
    does: 'references to what a conditional delete finds, and to what is deleted by its id',
    entries: [
      { fullUrl: uuid('01'), request: { method: 'DELETE', url: 'Patient?identifier=who|single' } },
      creating(about(uuid('01'))),
      { fullUrl: uuid('02'), request: { method: 'DELETE', url: 'Patient/who-twin-1' } },
      creating(about(uuid('02'))),
    ],
    problems: [1, 3].map((entry) => [entry, 'The entry refers to one that becomes no record.']),
  },
  {
    does: 'a reference to what a conditional delete did not find',
    entries: [
      { fullUrl: uuid('01'), request: { method: 'DELETE', url: 'Patient?identifier=a|never' } },
      creating(about(uuid('01'))),
    ],
    problems: [[1, 'The entry refers to one that becomes no record.']],
  },
  {
    does: 'a fullUrl that is no URL, and a URL that is none',
    entries: [
      creating(person(), 'Patient/1'),
      { resource: person(), request: { method: 'POST', url: 'Patient","id":"x' } },
      creating(about(uuid('02')), uuid('02","id":"y')),
    ],
    problems: [
      [0, 'fullUrl must be an absolute URL.'],
      [1, 'request.url must be a type, or a type and an id.'],
      [2, 'A reference names no entry of the Bundle.'],
    ],
  },
  {
    does: 'a fullUrl that is much too long',
    entries: [creating(person(), `http://${'x'.repeat(2_048)}/Patient/1`)],
    problems: [[0, 'fullUrl must be an absolute URL.']],
  },
  {
    does: 'conditional references to nobody and to several, and conditions that are none',
    entries: [
      creating(about('Patient?identifier=a|nobody')),
      creating(about('Patient?identifier=who|twins')),
      { resource: person(), request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=who|twins' } },
    ],
    status: 412,
    problems: [
      [0, 'No record has the identifier of a conditional reference.'],
      [1, 'Several records have the identifier of a conditional reference.'],
      [2, 'Several records have the identifier of the condition.'],
    ],
  },
  {
    does: 'conditional references and conditions by something else',
    entries: [
      creating(about('Patient?name=x')),
      creating(about('Patient?identifier=1')),
      { resource: person(), request: { method: 'PUT', url: 'Patient?birthdate=1990-01-01' } },
      { resource: person(), request: { method: 'PUT', url: 'Patient?identifier=a|1', ifNoneExist: 'identifier=a|1' } },
      { resource: person(), request: { method: 'POST', url: 'Patient', ifMatch: 'W/"1"' } },
    ],
    problems: [
      [0, 'A conditional reference must be one identifier.'],
      [1, 'A conditional reference must be one identifier.'],
      [2, 'The condition of a request must be one identifier.'],
      [3, 'ifNoneExist is for creating: its request.method must be POST.'],
      [4, 'ifMatch is for what exists: its request.method must be PUT or DELETE.'],
    ],
  },
]

const known = [
  ['who-twin-1', 'twins'],
  ['who-twin-2', 'twins'],
  ['who-single', 'single'],
].map(([id, value]) => ({ ...patient(id!), identifier: [{ system: 'who', value }] }))

const refusalRows: readonly Scenario[] = refusals.map(({ does, entries, status = 400, problems }) => ({
  t: [],
  rules: ['FHIR transaction'],
  does: `a transaction with ${does}`,
  outcome: `${status}, all of it is said and nothing is stored`,
  run: async (suite) => {
    await put(suite, known)
    const caller = await suite.sharedCaller('commons')
    await put(suite, known, 'commons')
    const answer = await post(suite, caller, 'transaction', [...entries, putOf(patient('who-never'))])
    assert.equal(answer.status, status, answer.body.toString('utf8'))
    const told = outcomeOf(answer).map(({ expression, details }) => [expression?.[0], details.text])
    assert.deepEqual(
      told,
      problems.map(([entry, text]) => [`Bundle.entry[${entry}]`, text]),
    )
    assert.equal((await suite.ask(caller, 'GET', '/Patient/who-never')).status, 404)
  },
}))

/** Case 01: a patient is posted under a fullUrl with the id of another one. */
async function postNewPatient(suite: ScenarioSuite, caller: Caller) {
  const root = 'http://localhost:8080/fhir'
  return post(suite, caller, 'transaction', [
    creating({ resourceType: 'Patient', id: 'NewPatient', name: [{ text: 'Test One' }] }, `${root}/Patient/NewPatient`),
    creating(about('Patient/NewPatient', { code: { text: 'belongs to Test One' } }), `${root}/Condition/NewCondition`),
  ])
}

/** Who is meant by the references of a Bundle. */
export const identityScenarios: readonly Scenario[] = [
  ...meaningRows,
  ...refusalRows,
  {
    t: [],
    rules: ['FHIR transaction', 'FHIR references'],
    does: 'a transaction that posts a patient under the id of another one, with a relative reference',
    outcome: 'the condition is exported with the new patient and not with the other one',
    run: async (suite) => {
      await put(suite, [patient('NewPatient')])
      const answer = await postNewPatient(suite, await suite.sharedCaller())
      assert.deepEqual(statuses(answer), ['201', '201'])
      const conditions = async (key: string) => {
        const patients = [patientEntry(key)]
        return (await exported(suite, await suite.newCaller(), { patients })).ids('Condition')
      }
      const [patientKey, conditionKey] = [keyAt(answer, 0), keyAt(answer, 1)]
      assert.notEqual(patientKey, 'Patient/NewPatient')
      assert.deepEqual(await conditions(patientKey), [conditionKey.split('/')[1]])
      assert.deepEqual(await conditions('Patient/NewPatient'), [])
    },
  },
  {
    t: [],
    rules: ['FHIR transaction', 'FHIR conditional references'],
    does: 'a transaction that refers to a practitioner by NPI: nobody, one, several have it',
    outcome: '412, replaced, 412',
    run: async (suite) => {
      await put(suite, [patient('cr-p')])
      const caller = await suite.sharedCaller()
      const reference = `Practitioner?identifier=${npi}|0000000000`
      const visit = encounter('cr-e', 'cr-p', { participant: [{ individual: referenceTo(reference) }] })
      const send = () => post(suite, caller, 'transaction', [putOf(visit)])
      const practitioner = (id: string) => ({
        resourceType: 'Practitioner',
        id,
        identifier: [{ system: npi, value: '0000000000' }],
      })
      const nobody = await send()
      assert.equal(nobody.status, 412)
      assert.deepEqual(
        outcomeOf(nobody).map(({ code, expression, diagnostics }) => [code, expression, diagnostics]),
        [['not-found', ['Bundle.entry[0]'], reference]],
      )
      assert.equal((await suite.ask(caller, 'GET', '/Encounter/cr-e')).status, 404)
      await put(suite, [practitioner('cr-one')])
      assert.deepEqual(statuses(await send()), ['201'])
      const { participant } = await stored(suite, caller, 'Encounter/cr-e')
      assert.equal(participant[0].individual.reference, 'Practitioner/cr-one')
      const found = await exported(suite, await suite.newCaller(), { patients: [patientEntry('Patient/cr-p')] })
      assert.deepEqual(found.ids('Practitioner'), ['cr-one'])
      await put(suite, [practitioner('cr-two')])
      assert.equal((await send()).status, 412)
    },
  },
  {
    t: [],
    rules: ['FHIR conditional references'],
    does: 'conditional references to what the same transaction creates, changes and deletes',
    outcome: 'they mean what there is when it is done',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const known = (id: string, value: string) => ({ ...patient(id), identifier: [{ system: 'cr', value }] })
      await put(suite, [known('cr-gone', 'a'), known('cr-renamed', 'b')])
      const answer = await post(suite, caller, 'transaction', [
        creating(about('Patient?identifier=cr|a')),
        creating(about('Patient?identifier=cr|b')),
        creating(about('Patient?identifier=cr|c')),
        creating({ ...person(), identifier: [{ system: 'cr', value: 'a' }] }),
        { request: { method: 'DELETE', url: 'Patient/cr-gone' } },
        putOf(known('cr-renamed', 'c')),
        putOf(known('cr-put', 'b')),
      ])
      assert.equal(answer.status, 200, answer.body.toString('utf8'))
      const subjects = await Promise.all(
        [0, 1, 2].map(async (at) => (await stored(suite, caller, keyAt(answer, at))).subject.reference),
      )
      assert.deepEqual(subjects, [keyAt(answer, 3), 'Patient/cr-put', 'Patient/cr-renamed'])
    },
  },
  {
    t: [],
    rules: ['FHIR transaction'],
    does: 'a transaction with links, URLs and canonical URLs of its entries',
    outcome: 'links and URLs follow the records, names stay',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const canonical = 'http://there.example/Library/one'
      const answer = await post(suite, caller, 'transaction', [
        creating({ resourceType: 'Binary', contentType: 'text/plain', data: 'YQ==' }, `${there}/Binary/b`),
        creating({ resourceType: 'Library', url: canonical }, canonical),
        creating(
          {
            resourceType: 'Basic',
            extension: [{ url: canonical, valueUri: canonical }],
            text: { div: `<div><a href="${there}/Binary/b">it</a><img src='Binary/b'/> ${there}/Binary/b</div>` },
            photo: { url: `${there}/Binary/b` },
            author: referenceTo(canonical),
          },
          `${there}/Basic/x`,
        ),
      ])
      assert.equal(answer.status, 200, answer.body.toString('utf8'))
      const binary = keyAt(answer, 0)
      const { extension, text, photo, author } = await stored(suite, caller, keyAt(answer, 2))
      assert.deepEqual(extension, [{ url: canonical, valueUri: canonical }])
      assert.equal(text.div, `<div><a href="${binary}">it</a><img src='${binary}'/> ${there}/Binary/b</div>`)
      assert.equal(photo.url, binary)
      assert.equal(author.reference, keyAt(answer, 1))
    },
  },
  {
    t: [],
    rules: ['FHIR batch'],
    does: 'a batch whose entries refer to each other, some of which are refused',
    outcome: '200; who refers to a refused one is refused, who refers to what exists is not',
    run: async (suite) => {
      await put(suite, [patient('who-batch')])
      const caller = await suite.newCaller(
        'clinic',
        'system/Patient.cruds system/Condition.cruds system/Observation.rs',
      )
      const observation = { resourceType: 'Observation', status: 'final', code: {} }
      const answer = await post(suite, caller, 'batch', [
        creating(person(), uuid('01')),
        creating(about(uuid('01'))),
        creating(observation, uuid('02')),
        creating(about(uuid('01'), { evidence: [{ detail: [referenceTo(uuid('02'))] }] }), uuid('03')),
        creating(about(uuid('01'), { evidence: [{ detail: [referenceTo(uuid('03'))] }] })),
        creating(about(uuid('09'))),
        { ...putOf({ ...patient('who-batch'), active: true }, { ifMatch: 'never' }) },
        putOf(condition('who-batch-1', 'who-batch')),
        creating(about('Patient?identifier=a|nobody')),
      ])
      assert.equal(answer.status, 200)
      assert.deepEqual(statuses(answer), ['201', '201', '403', '400', '400', '400', '400', '201', '412'])
      const { subject } = await stored(suite, caller, keyAt(answer, 1))
      assert.equal(subject.reference, keyAt(answer, 0))
      const texts = answered(answer).entry.map(({ response }) => response.outcome?.issue[0]?.details.text)
      assert.deepEqual(
        [texts[3], texts[4], texts[5]],
        [
          'The entry refers to one that becomes no record.',
          'The entry refers to one that becomes no record.',
          'A reference names no entry of the Bundle.',
        ],
      )
    },
  },
]
