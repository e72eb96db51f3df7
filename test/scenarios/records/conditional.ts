import assert from 'node:assert/strict'
import type { Answer } from '../exchange.ts'
import { assertRefused } from '../outcome.ts'
import { patient, put, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'
import { json, keyAt, post, statuses, stored } from './bundle-exchange.ts'

const system = 'http://clinic.example/mrn'

/** A patient with an identifier of this system; `id` where the body states one. */
const known = (value: string, more: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system, value }],
  ...more,
})

type Headers = Readonly<Record<string, string>>

const condition = (value: string) => `identifier=${system}|${value}`

const create = (suite: ScenarioSuite, caller: Caller, value: string, body: object = known(value)): Promise<Answer> =>
  suite.ask(caller, 'POST', '/Patient', {
    headers: { ...json, 'if-none-exist': condition(value) },
    body: JSON.stringify(body),
  })

const update = (suite: ScenarioSuite, caller: Caller, value: string, body: object, headers: Headers = {}) =>
  suite.ask(caller, 'PUT', `/Patient?${condition(value)}`, {
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  })

const remove = (suite: ScenarioSuite, caller: Caller, value: string, headers: Headers = {}) =>
  suite.ask(caller, 'DELETE', `/Patient?${condition(value)}`, { headers })

const idOf = ({ body }: Answer): string => JSON.parse(body.toString('utf8')).id

async function countOf(suite: ScenarioSuite, value: string): Promise<number> {
  const { rows } = await suite.server.pool.query(
    `select count(*)::int as records from record
     where tenant = 'clinic' and lead and superseded = 'infinity' and not deleted and body like $1`,
    [`%"${value}"%`],
  )
  return rows[0].records
}

const status = async (suite: ScenarioSuite, caller: Caller, path: string) =>
  (await suite.ask(caller, 'GET', path)).status

/** Conditional create, update and delete, alone and in Bundles. */
export const conditionalScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['FHIR conditional create'],
    does: 'conditional create: none, one, several have the identifier',
    outcome: '201; 200 with the record that is there; 412',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const first = await create(suite, caller, 'cc-1')
      assert.equal(first.status, 201)
      const again = await create(suite, caller, 'cc-1', known('cc-1', { active: true }))
      assert.deepEqual([again.status, again.body.toString()], [200, first.body.toString()])
      assert.deepEqual([again.headers.etag, again.headers.location], [first.headers.etag, first.headers.location])
      assert.equal(again.headers['last-modified'], first.headers['last-modified'])
      await put(suite, [{ ...patient('cc-2'), identifier: [{ system, value: 'cc-1' }] }])
      assertRefused(await create(suite, caller, 'cc-1'), 412, 'invalid')
      assert.equal(await countOf(suite, 'cc-1'), 2)
    },
  },
  {
    t: [],
    rules: ['FHIR conditional update'],
    does: 'conditional update: none, one, several have the identifier, with and without an id in the body',
    outcome: '201, 200, 200, 400 for another id; 201 under the id of the body, 409 when that is taken; 412',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const first = await update(suite, caller, 'cu-1', known('cu-1'))
      assert.equal(first.status, 201)
      const id = idOf(first)
      const second = await update(suite, caller, 'cu-1', known('cu-1', { active: true }))
      assert.deepEqual([second.status, second.headers.etag, idOf(second)], [200, 'W/"2"', id])
      const { resourceType, ...members } = known('cu-1', { active: true })
      const same = await update(suite, caller, 'cu-1', { resourceType, id, ...members })
      assert.deepEqual([same.status, same.headers.etag], [200, 'W/"2"'])
      assertRefused(await update(suite, caller, 'cu-1', known('cu-1', { id: 'cu-other' })), 400, 'invalid')
      const named = await update(suite, caller, 'cu-2', known('cu-2', { id: 'cu-named' }))
      assert.deepEqual([named.status, idOf(named)], [201, 'cu-named'])
      assertRefused(await update(suite, caller, 'cu-3', known('cu-3', { id: 'cu-named' })), 409, 'conflict')
      await remove(suite, caller, 'cu-2')
      assert.equal((await update(suite, caller, 'cu-3', known('cu-3', { id: 'cu-named' }))).status, 201)
      assertRefused(await update(suite, caller, 'cu-1', known('cu-1', { id: 'a_b' })), 400, 'invalid')
      await put(suite, [{ ...patient('cu-4'), identifier: [{ system, value: 'cu-1' }] }])
      assertRefused(await update(suite, caller, 'cu-1', known('cu-1')), 412, 'invalid')
    },
  },
  {
    t: [],
    rules: ['FHIR conditional delete'],
    does: 'conditional delete: one, none, several have the identifier',
    outcome: '204, 204, 412',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const identifier = [{ system, value: 'cd-1' }]
      await put(suite, [{ ...patient('cd-1'), identifier }])
      assert.equal((await remove(suite, caller, 'cd-1')).status, 204)
      assert.equal(await status(suite, caller, '/Patient/cd-1'), 410)
      assert.equal((await remove(suite, caller, 'cd-1')).status, 204)
      await put(suite, [
        { ...patient('cd-2'), identifier },
        { ...patient('cd-3'), identifier },
      ])
      assertRefused(await remove(suite, caller, 'cd-1'), 412, 'invalid')
      assert.equal(await status(suite, caller, '/Patient/cd-2'), 200)
    },
  },
  {
    t: [],
    rules: ['FHIR If-Match'],
    does: 'conditional update and delete with If-Match',
    outcome: '412 for another version and for what is not there; otherwise done',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const body = (active: boolean) => known('cm-1', { active })
      assertRefused(await update(suite, caller, 'cm-1', body(true), { 'if-match': 'W/"1"' }), 412, 'invalid')
      assert.equal((await update(suite, caller, 'cm-1', body(true))).status, 201)
      assertRefused(await update(suite, caller, 'cm-1', body(false), { 'if-match': 'W/"2"' }), 412, 'invalid')
      assertRefused(await update(suite, caller, 'cm-1', body(false), { 'if-match': 'x' }), 400, 'invalid')
      assert.equal((await update(suite, caller, 'cm-1', body(false), { 'if-match': 'W/"1"' })).status, 200)
      assertRefused(await remove(suite, caller, 'cm-1', { 'if-match': 'W/"1"' }), 412, 'invalid')
      assertRefused(await remove(suite, caller, 'cm-1', { 'if-match': 'x' }), 400, 'invalid')
      assert.equal((await remove(suite, caller, 'cm-1', { 'if-match': 'W/"2"' })).status, 204)
    },
  },
  {
    t: [],
    rules: ['FHIR'],
    does: 'conditions that are not one identifier, and none at all',
    outcome: '400 not-supported, by name',
    run: async (suite) => {
      const caller = await suite.sharedCaller('commons')
      for (const query of ['', '?', '?name=x', '?identifier=1', '?identifier=a|1&active=true', '?identifier=a|1,a|2']) {
        const body = JSON.stringify(known('c-1'))
        assertRefused(await suite.ask(caller, 'PUT', `/Patient${query}`, { headers: json, body }), 400, 'not-supported')
        assertRefused(await suite.ask(caller, 'DELETE', `/Patient${query}`), 400, 'not-supported')
        const headers = { ...json, 'if-none-exist': query.slice(1) }
        assertRefused(await suite.ask(caller, 'POST', '/Patient', { headers, body }), 400, 'not-supported')
      }
      const nul = await suite.ask(caller, 'DELETE', '/Patient?identifier=a%7C%00')
      assertRefused(nul, 400, 'not-supported')
    },
  },
  {
    t: [],
    rules: ['FHIR'],
    does: 'conditions with bytes that are not UTF-8, and half a surrogate pair, where a record has U+FFFD in their place',
    outcome: '400 not-supported, and the record stays',
    run: async (suite) => {
      const caller = await suite.sharedCaller('commons')
      const value = (broken: string) => `broken-${broken}`
      await put(suite, [{ ...patient('cu-1'), identifier: [{ system, value: value('\ufffd'.repeat(3)) }] }], 'commons')
      const query = `identifier=${system}%7C${value('%ED%A0%80')}`
      const body = JSON.stringify(known('cu-never'))
      assertRefused(await suite.ask(caller, 'DELETE', `/Patient?${query}`), 400, 'not-supported')
      assertRefused(await suite.ask(caller, 'PUT', `/Patient?${query}`, { headers: json, body }), 400, 'not-supported')
      const headers = { ...json, 'if-none-exist': query }
      assertRefused(await suite.ask(caller, 'POST', '/Patient', { headers, body }), 400, 'not-supported')
      for (const broken of ['%ED%A0%80', '\ud800']) {
        const url = `Patient?identifier=${system}|${value(broken)}`
        const condition = await post(suite, caller, 'transaction', [{ request: { method: 'DELETE', url } }])
        assertRefused(condition, 400, 'not-supported', 'Bundle.entry[0]')
        const about = { resourceType: 'Condition', subject: referenceTo(url) }
        const reference = { resource: about, request: { method: 'POST', url: 'Condition' } }
        assertRefused(await post(suite, caller, 'transaction', [reference]), 400, 'not-supported', 'Bundle.entry[0]')
      }
      assert.equal((await suite.ask(caller, 'GET', '/Patient/cu-1')).status, 200)
    },
  },
  {
    t: [],
    rules: ['§10', 'FHIR'],
    does: 'conditions with a write scope only, or with granular scopes to read',
    outcome: '403, whether there is such a record or not',
    run: async (suite) => {
      await put(suite, [{ ...patient('cs-1'), identifier: [{ system, value: 'cs-1' }] }])
      for (const scope of ['system/Patient.cud', 'system/Patient.cud system/Patient.rs?gender=male']) {
        const caller = await suite.newCaller('clinic', scope)
        for (const value of ['cs-1', 'cs-nobody']) {
          assertRefused(await create(suite, caller, value), 403, 'forbidden')
          assertRefused(await update(suite, caller, value, known(value)), 403, 'forbidden')
          assertRefused(await remove(suite, caller, value), 403, 'forbidden')
          const request = { method: 'POST', url: 'Patient', ifNoneExist: condition(value) }
          const entry = { resource: known(value), request }
          const asked = await post(suite, caller, 'transaction', [entry])
          assertRefused(asked, 403, 'forbidden', 'Bundle.entry[0]')
        }
      }
      const caller = await suite.newCaller('clinic', 'system/Patient.cruds system/Condition.cud')
      const about = { resourceType: 'Condition', subject: referenceTo('Practitioner?identifier=a|1') }
      const entry = { resource: about, request: { method: 'POST', url: 'Condition' } }
      assertRefused(await post(suite, caller, 'transaction', [entry]), 403, 'forbidden', 'Bundle.entry[0]')
    },
  },
  {
    t: [],
    rules: ['FHIR transaction', 'FHIR conditional create'],
    does: 'a transaction with conditional creates, updates and deletes, twice',
    outcome: 'the first creates and deletes, the second finds and changes; references are to what there is',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      await put(suite, [{ ...patient('ct-gone'), identifier: [{ system, value: 'ct-gone' }] }])
      const person = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0b'
      const same = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0c'
      const send = () =>
        post(suite, caller, 'transaction', [
          {
            fullUrl: person,
            resource: known('ct-1'),
            request: { method: 'POST', url: 'Patient', ifNoneExist: condition('ct-1') },
          },
          {
            fullUrl: same,
            resource: known('ct-1'),
            request: { method: 'POST', url: 'Patient', ifNoneExist: condition('ct-1') },
          },
          {
            resource: known('ct-2', { link: [{ other: referenceTo(same) }] }),
            request: { method: 'PUT', url: `Patient?${condition('ct-2')}` },
          },
          { request: { method: 'DELETE', url: `Patient?${condition('ct-gone')}` } },
          {
            resource: { resourceType: 'Condition', subject: referenceTo(person) },
            request: { method: 'POST', url: 'Condition' },
          },
        ])
      const first = await send()
      assert.equal(first.status, 200, first.body.toString('utf8'))
      assert.deepEqual(statuses(first), ['201', '200', '201', '204', '201'])
      const second = await send()
      assert.deepEqual(statuses(second), ['200', '200', '200', '204', '201'])
      const keys = [0, 1].flatMap((at) => [keyAt(first, at), keyAt(second, at)])
      assert.equal(new Set(keys).size, 1)
      assert.equal(keyAt(first, 2), keyAt(second, 2))
      assert.equal((await stored(suite, caller, keyAt(second, 4))).subject.reference, keys[0])
      assert.equal((await stored(suite, caller, keyAt(second, 2))).link[0].other.reference, keys[0])
      assert.equal(await status(suite, caller, '/Patient/ct-gone'), 410)
    },
  },
  {
    t: [],
    rules: ['FHIR transaction', 'FHIR conditional update'],
    does: 'transactions that change a record in two ways, or make a record under an id that is taken',
    outcome: '400 duplicate, 409, 400; in a batch the others are done',
    run: async (suite) => {
      const caller = await suite.sharedCaller('commons')
      await put(suite, [{ ...patient('cx-1'), identifier: [{ system, value: 'cx-1' }] }], 'commons')
      const byCondition = (value: string, more: object = {}) => ({
        resource: known(value, more),
        request: { method: 'PUT', url: `Patient?${condition(value)}` },
      })
      const direct = { resource: { ...known('cx-1'), id: 'cx-1' }, request: { method: 'PUT', url: 'Patient/cx-1' } }
      const creation = { resource: known('cx-2'), request: { method: 'POST', url: 'Patient' } }
      const sent = (entries: object[]) => post(suite, caller, 'transaction', entries)
      assertRefused(await sent([direct, byCondition('cx-1')]), 400, 'duplicate', 'Bundle.entry[1]')
      assertRefused(await sent([byCondition('cx-2'), creation]), 400, 'duplicate', 'Bundle.entry[0]')
      assertRefused(await sent([byCondition('cx-3', { id: 'cx-1' })]), 409, 'conflict', 'Bundle.entry[0]')
      assertRefused(await sent([byCondition('cx-1', { id: 'cx-9' })]), 400, 'value', 'Bundle.entry[0]')
      const batch = await post(suite, caller, 'batch', [byCondition('cx-3', { id: 'cx-1' }), byCondition('cx-4')])
      assert.deepEqual(statuses(batch), ['409', '201'])
    },
  },
  {
    t: [],
    rules: ['FHIR conditional create', 'FHIR conditional update'],
    does: 'conditional creates and updates of the same identifiers at the same time, alone and in Bundles',
    outcome: 'each identifier has exactly one record',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const values = Array.from({ length: 5 }, (_, number) => `race-${number}`)
      const entries = (order: readonly string[]) =>
        order.map((value) => ({
          resource: known(value),
          request: { method: 'POST', url: 'Patient', ifNoneExist: condition(value) },
        }))
      const requests = [1, 2, 3].flatMap((round) => [
        ...values.map((value) => create(suite, caller, value)),
        ...values.map((value) => update(suite, caller, value, known(value, { active: round === 1 }))),
        post(suite, caller, 'transaction', entries(values)),
        post(suite, caller, 'batch', entries(values.toReversed())),
      ])
      const answers = await Promise.all(requests)
      // Bundles may make all five, and then no request alone is answered 201.
      assert.deepEqual(
        answers.filter((answer) => answer.status !== 200 && answer.status !== 201),
        [],
      )
      const inBundles = answers.filter(({ body }) => body.includes('-response')).flatMap(statuses)
      const alone = answers.filter(({ status }) => status === 201).length
      assert.equal(alone + inBundles.filter((found) => found === '201').length, values.length)
      for (const value of values) assert.equal(await countOf(suite, value), 1, value)
    },
  },
]
