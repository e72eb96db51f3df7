import assert from 'node:assert/strict'
import { download, exported, exportedBy, finishedManifest, startExport } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import { condition, observation, patient, provenance, put, type Resource, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite, SuiteTenant } from '../suite.ts'

const categories = 'http://terminology.hl7.org/CodeSystem/observation-category'
const category = (code: string) => ({ category: [{ coding: [{ system: categories, code }] }] })
const laboratory = `system/Observation.rs?category=${categories}|laboratory`
const vital = 'system/Observation.rs?category=vital-signs'

const group = (id: string, entities: readonly object[]): Resource => ({
  resourceType: 'Group',
  id,
  type: 'person',
  actual: true,
  member: entities.map((entity) => ({ entity })),
})

const ownersOf = (...ids: string[]) => ids.map((id) => patientEntry(`Patient/${id}`))
const types = (value: string) => entry('_type', 'valueString', value)

/** A patient with Observations of several categories, their Provenances and performers. */
async function putChart(suite: ScenarioSuite, owner: string, tenant: SuiteTenant = 'clinic'): Promise<void> {
  const id = (name: string) => `${owner}-${name}`
  const performer = (name: string) => ({ performer: [referenceTo(`Practitioner/${id(name)}`)] })
  const practitioner = (name: string): Resource => ({ resourceType: 'Practitioner', id: id(name), active: true })
  await put(
    suite,
    [
      { ...patient(owner), gender: 'female' },
      practitioner('chemist'),
      practitioner('nurse'),
      observation(id('lab'), owner, { ...category('laboratory'), ...performer('chemist') }),
      observation(id('lab-old'), owner, { ...category('laboratory'), status: 'amended' }),
      observation(id('vital'), owner, { ...category('vital-signs'), ...performer('nurse') }),
      observation(id('bare'), owner),
      condition(id('condition'), owner, { asserter: referenceTo(`Practitioner/${id('gone')}`) }),
      provenance(id('of-lab'), [`Observation/${id('lab')}`]),
      provenance(id('of-vital'), [`Observation/${id('vital')}`]),
    ],
    tenant,
  )
}

async function observations(suite: ScenarioSuite, owner: string, scope: string, parameters: readonly unknown[] = []) {
  const found = await exported(suite, await suite.newCaller('clinic', scope), { patients: ownersOf(owner), parameters })
  return found.ids('Observation').map((id) => id.slice(owner.length + 1))
}

const refusedScope = (does: string, scopes: readonly string[], status: 202 | 403): RequestRow => ({
  t: [],
  rules: ['§10'],
  does,
  change: {
    parameters: [types('Observation')],
    authorization: async (suite, caller) => `Bearer ${await suite.signedToken(caller, { scopes })}`,
  },
  status,
  ...(status === 403 ? { code: 'forbidden' as const } : {}),
})

const read = async (suite: ScenarioSuite, caller: Caller, path: string) => (await suite.ask(caller, 'GET', path)).status

/** §10: v2 scopes with a query narrow what is exported and read. */
export const granularScenarios: readonly Scenario[] = [
  {
    t: [50],
    rules: ['§10'],
    does: 'granular scopes of one type',
    outcome:
      'the union of their queries, and of that what _typeFilter asks for; the whole type beside a scope on all of it',
    run: async (suite) => {
      await putChart(suite, 'gra')
      assert.deepEqual(await observations(suite, 'gra', laboratory), ['lab', 'lab-old'])
      assert.deepEqual(await observations(suite, 'gra', `${laboratory}&status=final`), ['lab'])
      assert.deepEqual(await observations(suite, 'gra', `${laboratory} ${vital}`), ['lab', 'lab-old', 'vital'])
      assert.deepEqual(await observations(suite, 'gra', 'system/Observation.rs?category:missing=true'), ['bare'])
      const all = ['bare', 'lab', 'lab-old', 'vital']
      assert.deepEqual(await observations(suite, 'gra', `${laboratory} system/Observation.read`), all)
      assert.deepEqual(await observations(suite, 'gra', `${laboratory} system/*.read`), all)
      const asked = [types('Observation'), entry('_typeFilter', 'valueString', 'Observation?status=amended')]
      assert.deepEqual(await observations(suite, 'gra', `${laboratory} ${vital}`, asked), ['lab-old'])
      const other = [types('Observation'), entry('_typeFilter', 'valueString', 'Observation?category=survey')]
      assert.deepEqual(await observations(suite, 'gra', laboratory, other), [])
    },
  },
  {
    t: [],
    rules: ['§10', '§3', '§4'],
    does: 'granular scopes with Provenance and referenced records',
    outcome: 'Provenances and referenced records of what is exported only',
    run: async (suite) => {
      await putChart(suite, 'grp')
      const scope = `${laboratory} system/Provenance.read system/Practitioner.read`
      const found = await exported(suite, await suite.newCaller('clinic', scope), { patients: ownersOf('grp') })
      assert.deepEqual(found.types, ['Observation', 'Practitioner', 'Provenance'])
      assert.deepEqual(found.ids('Provenance'), ['grp-of-lab'])
      assert.deepEqual(found.ids('Practitioner'), ['grp-chemist'])
      assert.deepEqual(found.errors, [])
    },
  },
  {
    t: [],
    rules: ['§10', '§4', 'D12'],
    does: 'granular scopes and filters on referenced records and Provenances themselves',
    outcome: 'only the granted ones, and no warning about the others, which are in the store',
    run: async (suite) => {
      await putChart(suite, 'grr', 'commons')
      const export_ = async (scope: string, parameters: readonly unknown[] = []) =>
        exported(suite, await suite.newCaller('commons', scope), { patients: ownersOf('grr'), parameters })
      const some = 'system/Observation.read system/Practitioner.rs?_id=grr-nurse system/Provenance.rs?_id=grr-of-vital'
      const narrowed = await export_(some)
      assert.deepEqual(narrowed.ids('Practitioner'), ['grr-nurse'])
      assert.deepEqual(narrowed.ids('Provenance'), ['grr-of-vital'])
      // What the token has no scope for is counted.
      assert.deepEqual(
        narrowed.errors.map(({ diagnostics }) => diagnostics?.includes('Practitioner')),
        [false],
      )
      const filter = entry('_typeFilter', 'valueString', 'Practitioner?_id=grr-chemist')
      const filtered = await export_('system/*.read', [types('Observation,Practitioner'), filter])
      assert.deepEqual(filtered.ids('Practitioner'), ['grr-chemist'])
      assert.deepEqual(filtered.errors, [])
    },
  },
  {
    t: [175],
    rules: ['§10', 'D20b'],
    does: 'another token of the client, wider or narrower, while the export runs and for its files',
    outcome: 'the grant at kick-off decides what is exported; files go to tokens that read all that is in them',
    run: async (suite) => {
      await putChart(suite, 'grf')
      const caller = await suite.newCaller('clinic', 'system/*.read')
      const change = { patients: ownersOf('grf'), parameters: [types('Observation')] }
      const narrow = await suite.withScope(caller, laboratory)
      await suite.hold(caller)
      const status = await startExport(suite, narrow, change)
      await suite.release(caller)
      const found = await exportedBy(suite, narrow, status)
      assert.deepEqual(found.ids('Observation'), ['grf-lab', 'grf-lab-old'])
      const file = found.manifest.output[0]!.url
      for (const scope of ['system/Observation.read', `${laboratory} ${vital}`, laboratory]) {
        await download(suite, await suite.withScope(caller, scope), file)
      }
      const narrower = await suite.ask(await suite.withScope(caller, `${laboratory}&status=final`), 'GET', file)
      assert.equal(narrower.status, 403)
      assert.match(String(narrower.headers['www-authenticate']), /insufficient_scope/)

      const whole = await finishedManifest(suite, caller, await startExport(suite, caller, change))
      assert.equal((await suite.ask(narrow, 'GET', whole.output[0]!.url)).status, 403)
    },
  },
  {
    t: [],
    rules: ['§10', 'FHIR read', 'FHIR vread'],
    does: 'reads with a granular scope, alone, of versions and in Bundles',
    outcome:
      '200 for what the query lets read; for the rest the answer of what is not there, a tombstone and old versions too',
    run: async (suite) => {
      await putChart(suite, 'gre')
      const caller = await suite.newCaller('clinic', laboratory)
      assert.equal(await read(suite, caller, '/Observation/gre-lab'), 200)
      assert.equal(await read(suite, caller, '/Observation/gre-lab/_history/1'), 200)
      const absent = await suite.ask(caller, 'GET', '/Observation/gre-none')
      const hidden = await suite.ask(caller, 'GET', '/Observation/gre-vital')
      assert.deepEqual([hidden.status, hidden.body], [404, absent.body])
      assert.equal(await read(suite, caller, '/Observation/gre-vital/_history/1'), 404)
      assert.equal(await read(suite, caller, '/Condition/gre-condition'), 403)

      // While an export needs the old version.
      const exporter = await suite.newCaller()
      await suite.hold(exporter)
      await startExport(suite, exporter)
      await put(suite, [observation('gre-lab', 'gre', category('vital-signs'))])
      await put(suite, [observation('gre-vital', 'gre', category('laboratory'))])
      assert.equal(await read(suite, caller, '/Observation/gre-lab/_history/1'), 404)
      assert.equal(await read(suite, caller, '/Observation/gre-vital/_history/1'), 404)
      assert.equal(await read(suite, caller, '/Observation/gre-vital/_history/2'), 200)
      const writer = await suite.sharedCaller()
      assert.equal(await read(suite, writer, '/Observation/gre-lab/_history/1'), 200)
      await suite.ask(writer, 'DELETE', '/Observation/gre-vital')
      assert.equal(await read(suite, writer, '/Observation/gre-vital'), 410)
      assert.equal(await read(suite, caller, '/Observation/gre-vital'), 404)
      await suite.release(exporter)

      const ids = ['gre-lab-old', 'gre-bare', 'gre-none']
      const bundle = {
        resourceType: 'Bundle',
        type: 'batch',
        entry: ids.map((id) => ({ request: { method: 'GET', url: `Observation/${id}` } })),
      }
      const answer = await suite.ask(caller, 'POST', '/', {
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify(bundle),
      })
      const entries = JSON.parse(answer.body.toString('utf8')).entry as { resource?: Resource; response: object }[]
      assert.equal(entries[0]!.resource?.id, 'gre-lab-old')
      assert.deepEqual(entries[1], entries[2])
      assert.match(JSON.stringify(entries[1]), /"status":"404"/)
    },
  },
  {
    t: [],
    rules: ['§10', 'O-9'],
    does: 'a granular scope on Patient, and patients that it does not let read',
    outcome:
      'unknown where only Patients are exported, in lists and Groups; otherwise only their Patient record stays away',
    run: async (suite) => {
      await putChart(suite, 'grw')
      const group = { resourceType: 'Group', id: 'grg', type: 'person', actual: true }
      const member = ['grw', 'grm', 'grx'].map((id) => ({ entity: referenceTo(`Patient/${id}`) }))
      await put(suite, [{ ...patient('grm'), gender: 'male' }, condition('grm-c', 'grm'), { ...group, member }])
      const women = 'system/Patient.rs?gender=female'
      const caller = await suite.newCaller('clinic', women)
      const ask = (id: string) => ({ patients: ownersOf('grw', id) })
      const messages = []
      for (const id of ['grm', 'gru']) {
        const answer = await suite.ask(caller, 'POST', '/Patient/$export', {
          headers: { 'content-type': 'application/json', accept: 'application/json', prefer: 'respond-async' },
          body: JSON.stringify({ resourceType: 'Parameters', parameter: ask(id).patients }),
        })
        assert.equal(answer.status, 400)
        messages.push(JSON.stringify(outcomeOf(answer)).replace(id, 'ID'))
      }
      assert.equal(messages[0], messages[1], 'a patient of the others looks like one that is not there')

      const lenient = await exported(suite, caller, {
        ...ask('grm'),
        headers: { prefer: 'respond-async, handling=lenient' },
      })
      assert.deepEqual(lenient.ids('Patient'), ['grw'])
      assert.deepEqual(
        lenient.errors.map(({ diagnostics }) => diagnostics),
        ['Patient/grm'],
      )
      const more = await suite.newCaller('clinic', `${women} system/Condition.read`)
      const both = await exported(suite, more, ask('grm'))
      assert.deepEqual(both.ids('Patient'), ['grw'])
      assert.deepEqual(both.ids('Condition'), ['grm-c', 'grw-condition'])

      const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }
      const kicked = await suite.ask(caller, 'GET', '/Group/grg/$export', { headers })
      const found = await exportedBy(suite, caller, String(kicked.headers['content-location']))
      assert.deepEqual(found.ids('Patient'), ['grw'])
      assert.deepEqual(
        found.errors.map(({ diagnostics }) => diagnostics),
        ['2 members'],
        'who they are is not said, nor who of them is there',
      )
    },
  },
  {
    t: [],
    rules: ['§10', 'O-9'],
    does: 'a granular scope on Patient, and types beside Patient that Oracle does not document',
    outcome: 'a patient whose Patient record stays away is known all the same, in lists and Groups',
    run: async (suite) => {
      const coverage = (id: string) => ({ resourceType: 'Coverage', id, beneficiary: referenceTo(`Patient/${id}`) })
      const member = ['grcm', 'grcw'].map((id) => ({ entity: referenceTo(`Patient/${id}`) }))
      const group = { resourceType: 'Group', id: 'grc', type: 'person', actual: true, member }
      const [man, woman] = [
        { ...patient('grcm'), gender: 'male' },
        { ...patient('grcw'), gender: 'female' },
      ]
      await put(suite, [man, woman, coverage('grcm'), coverage('grcw'), group], 'commons')
      const scope = 'system/Patient.rs?gender=female system/Coverage.rs system/Group.rs'
      const caller = await suite.newCaller('commons', scope)
      const kicked = await suite.ask(caller, 'GET', '/Group/grc/$export?_type=Coverage')
      const found = await exportedBy(suite, caller, String(kicked.headers['content-location']))
      assert.deepEqual([found.ids('Coverage'), found.errors], [['grcm', 'grcw'], []])
      const parameters = [entry('_type', 'valueString', 'Coverage,Patient')]
      const listed = await exported(suite, caller, { patients: ownersOf('grcm'), parameters })
      assert.deepEqual([listed.ids('Coverage'), listed.ids('Patient')], [['grcm'], []])
    },
  },
  {
    t: [],
    rules: ['§10', 'O-9', '§11.3'],
    does: 'a list of members of a Group, one of whom the scopes hide, one who is no member and one who is not there',
    outcome: 'the same answer for all three',
    run: async (suite) => {
      const members = ['grl', 'grl-man', 'grl-gone'].map((id) => ({ entity: referenceTo(`Patient/${id}`) }))
      const group = { resourceType: 'Group', id: 'grl', type: 'person', actual: true, member: members }
      const woman = { ...patient('grl'), gender: 'female' }
      await put(suite, [woman, patient('grl-man'), patient('grl-other'), group], 'commons')
      const caller = await suite.newCaller('commons', 'system/Group.read system/Patient.rs?gender=female')
      const ask = (id: string, prefer: string) =>
        suite.ask(caller, 'POST', '/Group/grl/$export', {
          headers: { 'content-type': 'application/fhir+json', prefer },
          body: JSON.stringify({ resourceType: 'Parameters', parameter: ownersOf('grl', id) }),
        })
      const answers = []
      for (const id of ['grl-man', 'grl-other', 'grl-gone']) {
        const refused = await ask(id, 'respond-async')
        assert.equal(refused.status, 400)
        const lenient = await ask(id, 'respond-async, handling=lenient')
        assert.equal(lenient.status, 202)
        const found = await exportedBy(suite, caller, String(lenient.headers['content-location']))
        assert.deepEqual(found.ids('Patient'), ['grl'])
        answers.push(JSON.stringify([outcomeOf(refused), outcomeOf(lenient), found.errors]).replaceAll(id, 'ID'))
      }
      assert.deepEqual(new Set(answers).size, 1, answers.join('\n'))
    },
  },
  {
    t: [],
    rules: ['§10', 'O-9', '§11.3'],
    does: 'members by identifier: of someone hidden, of nobody, of several hidden, of one hidden and one not, and of one listed twice',
    outcome: 'the same answer and `error` file for all of them',
    run: async (suite) => {
      const identifier = (value: string) => ({ system: 'urn:granular-mrn', value })
      const person = (id: string, gender: string, ...values: string[]) => ({
        ...patient(id),
        gender,
        identifier: values.map(identifier),
      })
      await put(
        suite,
        [
          person('gri', 'female', 'mixed'),
          person('gri-man', 'male', 'hidden', 'hidden-too', 'several', 'mixed'),
          person('gri-boy', 'male', 'several'),
        ],
        'commons',
      )
      const caller = await suite.newCaller('commons', 'system/Group.rs?_id=gri system/Patient.rs?gender=female')
      await put(suite, [{ ...group('gri-inner', []), identifier: [identifier('inner')] }], 'commons')
      const answers = async (...entities: object[]) => {
        const listed = [{ reference: 'Patient/gri' }, { reference: 'Patient/gri-man' }, ...entities]
        await put(suite, [group('gri', listed)], 'commons')
        const headers = { accept: 'application/fhir+json', prefer: 'respond-async' }
        const kicked = await suite.ask(caller, 'GET', '/Group/gri/$export', { headers })
        assert.equal(kicked.status, 202)
        const found = await exportedBy(suite, caller, String(kicked.headers['content-location']))
        assert.deepEqual(found.ids('Patient'), ['gri'])
        return JSON.stringify([outcomeOf(kicked), found.errors])
      }
      const nobody = await answers({ identifier: identifier('nobody') })
      assert.match(nobody, /"2 members"/)
      for (const value of ['hidden', 'several', 'mixed']) {
        assert.equal(await answers({ identifier: identifier(value) }), nobody, value)
      }
      assert.equal(
        await answers({ identifier: identifier('hidden') }, { identifier: identifier('hidden-too') }),
        await answers({ identifier: identifier('nobody') }, { identifier: identifier('nobody-too') }),
      )
      assert.equal(
        await answers({ type: 'Group', identifier: identifier('inner') }),
        await answers({ type: 'Group', identifier: identifier('nobody') }),
      )
    },
  },
  refusedScope('a token of another issuer with a granular scope that can be applied', [laboratory], 202),
  refusedScope('one that cannot be applied', ['system/Observation.rs?category:in=http://a.example/vs'], 403),
  refusedScope('one with write letters', ['system/Observation.cruds?category=laboratory'], 403),
  refusedScope('one on every type', ['system/*.rs?category=laboratory'], 403),
  refusedScope('one that cannot be applied beside one that can', ['system/Observation.rs?x=y', laboratory], 202),
  {
    t: [],
    rules: ['§10', 'B14'],
    does: 'token requests for granular scopes',
    outcome: 'granted as registered, with the queries of both, or refused with the reason',
    run: async (suite) => {
      const registered = await suite.newCaller('clinic', laboratory)
      await assert.rejects(suite.withScope(registered, 'system/Observation.rs?foo=1'), /foo of Observation/)
      await assert.rejects(suite.withScope(registered, vital.replace('.rs', '.cruds')), /letters rs only/)
      await putChart(suite, 'grt')
      const count = async (scope: string) =>
        (await exported(suite, await suite.withScope(registered, scope), { patients: ownersOf('grt') })).ids(
          'Observation',
        )
      assert.deepEqual(await count('system/Observation.read'), ['grt-lab', 'grt-lab-old'])
      assert.deepEqual(await count('system/*.read'), ['grt-lab', 'grt-lab-old'])
      assert.deepEqual(await count('system/Observation.rs?status=final'), ['grt-lab'])
      assert.deepEqual(await count(vital), [])
    },
  },
]
