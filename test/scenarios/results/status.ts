import assert from 'node:assert/strict'
import { failJob } from '../../../src/jobs/job.ts'
import { exported, finishedAnswer, startExport } from '../exported.ts'
import { entry, patientEntry } from '../kick-off.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import { condition, encounter, patient, put, referenceTo } from '../resources.ts'
import type { RequestRow, Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite, SuiteTenant } from '../suite.ts'

const jobIn = (id: string, does: string, method = 'GET'): RequestRow => ({
  t: [166],
  rules: ['§5', '§7'],
  does: `${method} the status of ${does}`,
  change: { method, path: `/bulk-export/jobs/${id}`, body: null },
  status: 404,
  code: 'not-found',
  fine: 'not-found',
})

/** An export in progress that stays so. */
async function running(
  suite: ScenarioSuite,
  tenant: SuiteTenant = 'clinic',
): Promise<{ caller: Caller; status: string }> {
  const caller = await suite.newCaller(tenant)
  await suite.hold(caller)
  return { caller, status: await startExport(suite, caller) }
}

const assertNotFound = async (suite: ScenarioSuite, caller: Caller, method: string, status: string) =>
  assertRefused(await suite.ask(caller, method, status), 404, 'not-found')

/** T-162…T-173, T-186: the status URL, the manifest and DELETE. */
export const statusScenarios: readonly Scenario[] = [
  {
    t: [162],
    rules: ['D31', '§5'],
    does: 'status while the export runs',
    outcome: '202 with X-Progress in-progress and Retry-After',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      for (const accept of ['application/fhir+json', 'application/json', '*/*']) {
        const answer = await suite.ask(caller, 'GET', status, { headers: { accept } })
        assert.equal(answer.status, 202)
        assert.equal(answer.headers['x-progress'], 'in-progress')
        assert.match(String(answer.headers['retry-after']), /^[1-9]\d{0,2}$/)
      }
    },
  },
  {
    t: [162],
    rules: ['P1', 'P2', 'P3', 'D25'],
    does: 'status while the export runs, profile hl7',
    outcome: '202, X-Progress tells how far it is in fewer than 100 characters',
    run: async (suite) => {
      const { caller, status } = await running(suite, 'commons')
      const answer = await suite.ask(caller, 'GET', status)
      assert.equal(answer.status, 202)
      assert.match(String(answer.headers['x-progress']), /^\d+%.{0,90}$/)
    },
  },
  {
    t: [163, 172, 173],
    rules: ['D23', '§5', '§11.5'],
    does: 'status of a completed export that found nothing',
    outcome: '200 application/json with Expires and empty lists',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const parameters = [entry('_type', 'valueString', 'Goal')]
      const answer = await finishedAnswer(suite, caller, await startExport(suite, caller, { parameters }))
      assert.match(String(answer.headers['content-type']), /^application\/json(;|$)/)
      const days = (Date.parse(String(answer.headers.expires)) - Date.now()) / 86_400_000
      assert.ok(Math.abs(days - 30) < 1, `expires in ${days} days`)
      assert.equal(answer.headers['x-progress'], 'completed')
      const { transactionTime, ...manifest } = JSON.parse(answer.body.toString('utf8'))
      assert.match(transactionTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.deepEqual(manifest, {
        request: `${suite.base('clinic')}/Patient/$export`,
        requiresAccessToken: true,
        output: [],
        error: [],
      })
    },
  },
  {
    t: [164],
    rules: ['O-7', 'D21'],
    does: 'status and DELETE with the token of another client, or of another tenant',
    outcome: '403 forbidden; 404 not-found',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      const stranger = await suite.sharedCaller('clinic')
      const foreigner = await suite.sharedCaller('neighbour')
      const inTheirTenant = status.replace('/r4/clinic/', '/r4/neighbour/')
      for (const method of ['GET', 'DELETE']) {
        assertRefused(await suite.ask(stranger, method, status), 403, 'forbidden')
        await assertNotFound(suite, foreigner, method, inTheirTenant)
      }
      assert.equal((await suite.ask(caller, 'GET', status)).status, 202, 'the export goes on')
    },
  },
  {
    t: [165],
    rules: ['D20', '§5'],
    does: 'status and DELETE with fewer scopes',
    outcome: '200 and 202: scopes are not checked',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const status = await startExport(suite, caller)
      const poorer = await suite.withScope(caller, 'system/Goal.read')
      assert.equal((await finishedAnswer(suite, poorer, status)).status, 200)
      assert.equal((await suite.ask(poorer, 'DELETE', status)).status, 202)
    },
  },
  jobIn('96295b8c-584e-11ec-bf63-0242ac130002', 'an unknown export'),
  jobIn('96295b8c-584e-11ec-bf63-0242ac130002', 'an unknown export', 'DELETE'),
  jobIn('1', 'an id that is no UUID'),
  jobIn('..%2F..%2Fetc%2Fpasswd', 'an id with slashes'),
  jobIn("'%20or%201=1", 'an id with a quote'),
  {
    t: [139],
    rules: ['§8.1'],
    does: 'status with Accept: application/fhir+xml',
    outcome: '406 invalid',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      const headers = { accept: 'application/fhir+xml' }
      assertRefused(await suite.ask(caller, 'GET', status, { headers }), 406, 'invalid')
    },
  },
  {
    t: [133, 153],
    rules: ['S-16', '§2.6'],
    does: 'status without a token; POST to it',
    outcome: '401; 405',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      assert.equal((await suite.send({ method: 'GET', url: status, headers: {} })).status, 401)
      const answer = await suite.ask(caller, 'POST', status)
      assert.equal(answer.status, 405)
      assert.equal(answer.headers.allow, 'GET, DELETE, HEAD')
    },
  },
  {
    t: [167, 186],
    rules: ['§7', '§11.7', 'INFERNO'],
    does: 'DELETE of a running export, twice',
    outcome: '202, then 404 for status and DELETE',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      const answer = await suite.ask(caller, 'DELETE', status)
      assert.deepEqual([answer.status, answer.body.length], [202, 0])
      await assertNotFound(suite, caller, 'GET', status)
      await assertNotFound(suite, caller, 'DELETE', status)
    },
  },
  {
    t: [167],
    rules: ['D30'],
    does: 'status after DELETE, profile hl7',
    outcome: '404 deleted',
    run: async (suite) => {
      const { caller, status } = await running(suite, 'commons')
      await suite.ask(caller, 'DELETE', status)
      assertRefused(await suite.ask(caller, 'GET', status), 404, 'deleted')
    },
  },
  {
    t: [186],
    rules: ['§7'],
    does: 'DELETE of a completed export',
    outcome: '202, then 404 for its status and its files',
    run: async (suite) => {
      const caller = await suite.newCaller()
      const status = await startExport(suite, caller)
      const { output } = JSON.parse((await finishedAnswer(suite, caller, status)).body.toString('utf8'))
      assert.equal((await suite.ask(caller, 'DELETE', status)).status, 202)
      await assertNotFound(suite, caller, 'GET', status)
      await assertNotFound(suite, caller, 'GET', output[0].url)
    },
  },
  {
    t: [168],
    rules: ['P5'],
    does: 'status of a failed export',
    outcome: '500 exception, fatal',
    run: async (suite) => {
      const { caller, status } = await running(suite)
      await failJob(suite.server.pool, status.split('/').at(-1)!, 'The disk is full.')
      const answer = await suite.ask(caller, 'GET', status)
      assert.equal(answer.status, 500)
      const [issue] = outcomeOf(answer)
      assert.equal(issue?.code, 'exception')
      assert.match(issue.diagnostics ?? '', /The disk is full\./)
    },
  },
  {
    t: [171],
    rules: ['P7', '§4'],
    does: 'an export with a reference that leads nowhere',
    outcome: '200 with an error file',
    run: async (suite) => {
      const place = { location: referenceTo('Location/nowhere') }
      await put(suite, [
        patient('lost'),
        encounter('lost-1', 'lost', { location: [place] }),
        condition('lost-2', 'lost'),
      ])
      const found = await exported(suite, await suite.newCaller(), { patients: [patientEntry('Patient/lost')] })
      assert.deepEqual(found.types, ['Condition', 'Encounter', 'Patient'])
      assert.equal(found.manifest.error.length, 1)
      assert.deepEqual(
        found.errors.map(({ severity, code, diagnostics }) => [severity, code, diagnostics]),
        [['warning', 'not-found', 'Location/nowhere']],
      )
    },
  },
]
