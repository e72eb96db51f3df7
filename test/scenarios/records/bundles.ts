import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { patientEntry } from '../kick-off.ts'
import { assertRefused } from '../outcome.ts'
import { condition, patient, provenance, put, referenceTo } from '../resources.ts'
import type { Scenario } from '../scenario.ts'
import { answered, json, post, putOf, readStatus, statuses } from './bundle-exchange.ts'

/** Transaction and batch Bundles at the FHIR base. */
export const bundleScenarios: readonly Scenario[] = [
  {
    t: [],
    rules: ['FHIR transaction'],
    does: 'a transaction whose entries refer to each other by urn:uuid',
    outcome: '200, references resolved, and exported with the new patient',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const person = 'urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a'
      const problem = 'urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059'
      const answer = await post(suite, caller, 'transaction', [
        {
          fullUrl: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9',
          resource: {
            resourceType: 'Provenance',
            target: [referenceTo(problem), referenceTo(person)],
            recorded: '2024-01-01T00:00:00Z',
          },
          request: { method: 'POST', url: 'Provenance' },
        },
        {
          fullUrl: problem,
          resource: { resourceType: 'Condition', subject: referenceTo(person), note: [{ text: `about ${person}` }] },
          request: { method: 'POST', url: 'Condition' },
        },
        {
          fullUrl: person,
          resource: { resourceType: 'Patient', active: true },
          request: { method: 'POST', url: 'Patient' },
        },
      ])
      assert.equal(answer.status, 200)
      const bundle = answered(answer)
      assert.equal(bundle.type, 'transaction-response')
      assert.deepEqual(statuses(answer), ['201', '201', '201'])
      const [, conditionAt, patientAt] = bundle.entry.map(({ response }) => response.location!.split('/').slice(-4, -2))
      const patients = [patientEntry(patientAt!.join('/'))]
      const found = await exported(suite, await suite.newCaller(), { patients })
      assert.deepEqual(found.types, ['Condition', 'Patient', 'Provenance'])
      const stored = JSON.parse(found.lines('Condition')[0]!)
      assert.deepEqual([stored.id, stored.subject.reference], [conditionAt![1], patientAt!.join('/')])
      assert.equal(stored.note[0].text, `about ${person}`, 'text that only looks like a reference stays')
      assert.deepEqual(
        JSON.parse(found.lines('Provenance')[0]!).target.map(({ reference }: { reference: string }) => reference),
        [conditionAt!.join('/'), patientAt!.join('/')],
      )
    },
  },
  {
    t: [],
    rules: ['FHIR transaction'],
    does: 'a transaction with a bad entry, a missing scope, a conflict, a resource twice',
    outcome: '400, 403, 412, 400, and nothing is stored',
    run: async (suite) => {
      await put(suite, [patient('tx-known')])
      const caller = await suite.newCaller('clinic', 'system/Patient.cruds')
      const good = putOf(patient('tx-good'))
      const bad = { resource: { resourceType: 'Patient', id: 'a_b' }, request: { method: 'PUT', url: 'Patient/a_b' } }
      const foreign = putOf(condition('tx-foreign', 'tx-good'))
      const stale = putOf({ ...patient('tx-known'), active: true }, { ifMatch: 'W/"7"' })
      assertRefused(await post(suite, caller, 'transaction', [good, bad]), 400, 'invalid', 'Bundle.entry[1]')
      assertRefused(await post(suite, caller, 'transaction', [good, foreign]), 403, 'forbidden', 'Bundle.entry[1]')
      assertRefused(await post(suite, caller, 'transaction', [good, stale]), 412, 'invalid')
      assertRefused(await post(suite, caller, 'transaction', [good, good]), 400, 'invalid', 'Bundle.entry[1]')
      assert.equal(await readStatus(suite, caller, '/Patient/tx-good'), 404)
    },
  },
  {
    t: [],
    rules: ['FHIR transaction'],
    does: 'a transaction that creates, updates, deletes and reads',
    outcome: '200 with a status for each',
    run: async (suite) => {
      await put(suite, [patient('tx-old'), patient('tx-gone'), patient('tx-read')])
      const caller = await suite.sharedCaller()
      const answer = await post(suite, caller, 'transaction', [
        putOf(patient('tx-new')),
        putOf({ ...patient('tx-old'), active: true }, { ifMatch: 'W/"1"' }),
        { request: { method: 'DELETE', url: 'Patient/tx-gone' } },
        { request: { method: 'GET', url: 'Patient/tx-read' } },
      ])
      assert.deepEqual(statuses(answer), ['201', '200', '204', '200'])
      const { entry } = answered(answer)
      assert.deepEqual([entry[1]!.response.etag, entry[3]!.resource?.id], ['W/"2"', 'tx-read'])
      assert.equal(await readStatus(suite, caller, '/Patient/tx-gone'), 410)
    },
  },
  {
    t: [],
    rules: ['FHIR batch'],
    does: 'a batch in which some entries are refused',
    outcome: '200, the others are stored',
    run: async (suite) => {
      await put(suite, [patient('batch-known')])
      const caller = await suite.newCaller('clinic', 'system/Patient.cruds')
      const answer = await post(suite, caller, 'batch', [
        putOf(patient('batch-good')),
        putOf(condition('batch-foreign', 'batch-good')),
        putOf({ ...patient('batch-known'), active: true }, { ifMatch: 'W/"7"' }),
        { request: { method: 'GET', url: 'Patient/batch-nobody' } },
        { request: { method: 'POST', url: 'Patient' } },
        { resource: patient('x'), request: { method: 'POST', url: 'Patient', ifNoneExist: 'name=1' } },
        { request: { method: 'GET', url: 'Condition/batch-foreign' } },
        { request: { method: 'PATCH', url: 'Patient/batch-good' } },
        { resource: patient('x'), request: { method: 'POST', url: 'Patient/x' } },
        { request: { method: 'GET', url: 'Patient/batch-known/_history/1' } },
        { request: { method: 'DELETE', url: 'Patient?active=true' } },
        { request: { method: 'DELETE', url: 'Patient' } },
      ])
      assert.equal(answer.status, 200)
      assert.equal(answered(answer).type, 'batch-response')
      assert.deepEqual(statuses(answer), [
        '201',
        '403',
        '412',
        '404',
        '400',
        '400',
        '403',
        '400',
        '400',
        '400',
        '400',
        '400',
      ])
      for (const { response } of answered(answer).entry.slice(1)) assert.ok(response.outcome?.issue[0]?.code)
      assert.equal(await readStatus(suite, caller, '/Patient/batch-good'), 200)
    },
  },
  {
    t: [],
    rules: ['FHIR transaction'],
    does: 'what is no transaction or batch',
    outcome: '400 and 415',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const send = (body: string, headers = json) => suite.ask(caller, 'POST', '/', { headers, body })
      for (const body of ['', 'x', '[]', 'null', '{"resourceType":"Patient"}', '{"resourceType":"Bundle"}']) {
        assertRefused(await send(body), 400, 'invalid')
      }
      assertRefused(await post(suite, caller, 'collection', []), 400, 'invalid', 'Bundle.type')
      for (const entry of [{}, [null], [1], [{}], [{ request: 1 }], [{ request: { method: 'PUT', url: '/' } }]]) {
        assertRefused(await post(suite, caller, 'transaction', entry), 400, 'invalid')
      }
      const twice = '"entry":[{"request":{"method":"DELETE","method":"GET","url":"Patient/1"}}]'
      for (const [members, place] of [
        [twice, 'Bundle.entry[0]'],
        ['"entry":[],"entry":[]', 'Bundle'],
      ] as const) {
        const body = `{"resourceType":"Bundle","type":"batch",${members}}`
        assertRefused(await send(body), 400, 'invalid', place)
      }
      assertRefused(await send('{}', { 'content-type': 'text/plain' }), 415, 'invalid')
      assert.deepEqual(statuses(await post(suite, caller, 'transaction', [])), [])
    },
  },
  {
    t: [],
    rules: ['§3'],
    does: 'a Provenance that comes before its targets, and a target that moves to another patient',
    outcome: 'it is exported with whom its targets belong to',
    run: async (suite) => {
      const ids = async (id: string) => {
        const found = await exported(suite, await suite.newCaller(), { patients: [patientEntry(`Patient/${id}`)] })
        return found.ids('Provenance')
      }
      await put(suite, [patient('early-1'), patient('early-2'), provenance('early-3', ['Condition/early-4'])])
      assert.deepEqual(await ids('early-1'), [])
      await put(suite, [condition('early-4', 'early-1')])
      assert.deepEqual(await ids('early-1'), ['early-3'])
      await put(suite, [condition('early-4', 'early-2')])
      assert.deepEqual([await ids('early-1'), await ids('early-2')], [[], ['early-3']])
    },
  },
  {
    t: [],
    rules: [],
    does: 'a transaction whose Provenances have as many targets as the bound, and one more',
    outcome: '200; 413 for the entry beyond, and nothing is written',
    run: async (suite) => {
      const caller = await suite.newCaller('neighbour')
      const about = (id: string, count: number) =>
        putOf({
          resourceType: 'Provenance',
          id,
          target: Array.from({ length: count }, (_, at) => ({ reference: `Condition/none-${id}-${at}` })),
          recorded: '2024-01-01T00:00:00Z',
        })
      const refused = await post(suite, caller, 'transaction', [about('many-1', 6_000), about('many-2', 4_001)])
      assertRefused(refused, 413, 'invalid', 'Bundle.entry[1]')
      assert.equal(await readStatus(suite, caller, '/Provenance/many-1'), 404)
      const answer = await post(suite, caller, 'transaction', [about('many-1', 6_000), about('many-2', 4_000)])
      assert.equal(answer.status, 200)
    },
  },
  {
    t: [],
    rules: [],
    does: 'a transaction whose records have as many identifiers as the bound, and one more',
    outcome: 'read to its end, where it has a fault; 413',
    run: async (suite) => {
      const caller = await suite.newCaller('neighbour')
      const about = (at: number, count: number) =>
        putOf({
          resourceType: 'Basic',
          id: `identified-${at}`,
          identifier: Array.from({ length: count }, (_, number) => ({ value: `${at}-${number}` })),
        })
      const most = Array.from({ length: 100 }, (_, at) => about(at, 1_000))
      const faulty = { request: { method: 'PATCH', url: 'Basic' } }
      assertRefused(await post(suite, caller, 'transaction', [...most, faulty]), 400, 'invalid', 'Bundle.entry[100]')
      assertRefused(await post(suite, caller, 'transaction', [...most, about(100, 1)]), 413, 'invalid', 'Bundle.entry')
    },
  },
  {
    t: [],
    rules: [],
    does: 'a Bundle of very many small values',
    outcome: '413 before it is parsed',
    run: async (suite) => {
      const caller = await suite.sharedCaller()
      const answer = await suite.ask(caller, 'POST', '/', {
        headers: { 'content-type': 'application/fhir+json' },
        body: `{"resourceType":"Bundle","type":"batch","entry":[${'{},'.repeat(600_000)}{}]}`,
      })
      assertRefused(answer, 413, 'invalid')
    },
  },
]
