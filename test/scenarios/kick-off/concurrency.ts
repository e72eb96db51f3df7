import assert from 'node:assert/strict'
import { failJob } from '../../../src/jobs/job.ts'
import type { Answer } from '../exchange.ts'
import { exported, exportedBy, finishedManifest, startExport } from '../exported.ts'
import { kickOffRequest, patientEntry } from '../kick-off.ts'
import { outcomeOf } from '../outcome.ts'
import { condition, patient, put } from '../resources.ts'
import type { Change, Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite } from '../suite.ts'

const kickOff = async (suite: ScenarioSuite, caller: Caller, change: Change = {}): Promise<Answer> =>
  suite.send(await kickOffRequest(suite, caller, change))

/** A client whose export is in progress and stays so. */
async function busyCaller(suite: ScenarioSuite): Promise<{ caller: Caller; status: string }> {
  const caller = await suite.newCaller()
  await suite.hold(caller)
  return { caller, status: await startExport(suite, caller) }
}

function assertThrottled(answer: Answer, status: string): void {
  assert.equal(answer.status, 429)
  const [issue] = outcomeOf(answer)
  assert.equal(issue?.code, 'throttled')
  assert.ok(issue.diagnostics?.includes(status), `the answer names the running export: ${issue.diagnostics}`)
}

/** T-155…T-161: one export in progress for each client and tenant (S-5). */
export const concurrencyScenarios: readonly Scenario[] = [
  {
    t: [155],
    rules: ['S-5', 'D29', 'K11'],
    does: 'a second kick-off while one runs',
    outcome: '429 throttled with Retry-After and the running export',
    run: async (suite) => {
      const { caller, status } = await busyCaller(suite)
      assertThrottled(await kickOff(suite, caller), status)
      assertThrottled(await kickOff(suite, caller), status)
    },
  },
  {
    t: [156],
    rules: ['S-5'],
    does: 'another client of the tenant, or a client of another tenant, while one runs',
    outcome: '202',
    run: async (suite) => {
      await busyCaller(suite)
      await put(suite, [patient('minimal')], 'neighbour')
      assert.equal((await kickOff(suite, await suite.newCaller('clinic'))).status, 202)
      assert.equal((await kickOff(suite, await suite.newCaller('neighbour'))).status, 202)
    },
  },
  {
    t: [157],
    rules: ['S-5', '§2.5'],
    does: 'eight simultaneous kick-offs',
    outcome: 'one 202, the others 429 throttled',
    run: async (suite) => {
      const caller = await suite.newCaller()
      await suite.hold(caller)
      const answers = await Promise.all(Array.from({ length: 8 }, () => kickOff(suite, caller)))
      const accepted = answers.filter(({ status }) => status === 202)
      assert.equal(accepted.length, 1)
      for (const answer of answers) {
        if (answer !== accepted[0]) assertThrottled(answer, String(accepted[0]!.headers['content-location']))
      }
    },
  },
  {
    t: [158],
    rules: ['§2.5', 'INFERNO'],
    does: 'a kick-off after DELETE of the running export, three times in a row',
    outcome: '202',
    run: async (suite) => {
      const caller = await suite.newCaller()
      await suite.hold(caller)
      for (let round = 0; round < 3; round++) {
        const status = await startExport(suite, caller)
        assert.equal((await suite.ask(caller, 'DELETE', status)).status, 202)
      }
      assert.equal((await kickOff(suite, caller)).status, 202)
    },
  },
  {
    t: [159],
    rules: ['S-5'],
    does: 'a kick-off after the last one was completed, or failed',
    outcome: '202',
    run: async (suite) => {
      const caller = await suite.newCaller()
      await exported(suite, caller)
      await suite.hold(caller)
      const status = await startExport(suite, caller)
      await failJob(suite.server.pool, status.split('/').at(-1)!, 'The disk is full.')
      assert.equal((await kickOff(suite, caller)).status, 202)
    },
  },
  {
    t: [161],
    rules: ['§2.6'],
    does: 'an invalid kick-off while one runs',
    outcome: '400, not 429',
    run: async (suite) => {
      const { caller } = await busyCaller(suite)
      const invalid = await kickOff(suite, caller, { patients: [] })
      const unknown = await kickOff(suite, caller, { patients: [patientEntry('Patient/nobody')] })
      assert.deepEqual([invalid.status, unknown.status], [400, 400])
    },
  },
  {
    t: [184],
    rules: ['manifest', 'S-42'],
    does: 'records that change, go and come after the transactionTime, before they are read',
    outcome: 'the export has what there was',
    run: async (suite) => {
      await put(suite, [
        patient('frozen'),
        condition('frozen-1', 'frozen', { note: [{ text: 'before' }] }),
        condition('frozen-2', 'frozen'),
      ])
      const caller = await suite.newCaller()
      await suite.hold(caller)
      const status = await startExport(suite, caller, { patients: [patientEntry('Patient/frozen')] })
      await put(suite, [
        condition('frozen-1', 'frozen', { note: [{ text: 'after' }] }),
        condition('frozen-3', 'frozen'),
      ])
      const writer = await suite.sharedCaller()
      assert.equal((await suite.ask(writer, 'DELETE', '/Condition/frozen-2')).status, 204)
      assert.equal((await suite.ask(caller, 'GET', status)).status, 202)
      await suite.release(caller)
      const found = await exportedBy(suite, caller, status)
      assert.deepEqual(found.ids('Condition'), ['frozen-1', 'frozen-2'])
      assert.ok(found.lines('Condition').some((line) => line.includes('before')))
      const { transactionTime } = await finishedManifest(suite, caller, status)
      for (const line of found.lines('Condition')) assert.ok(JSON.parse(line).meta.lastUpdated <= transactionTime)
    },
  },
]
