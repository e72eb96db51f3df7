import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pino from 'pino'
import { tokenSecondsDefault } from '../../../src/access/tokens/access-token.ts'
import { startApp } from '../../../src/app.ts'
import { requestToken } from '../../../src/client/session/token.ts'
import { storeGate } from '../../store-gate.ts'
import type { Answer } from '../exchange.ts'
import { startExport } from '../exported.ts'
import { assertRefused, outcomeOf } from '../outcome.ts'
import type { Scenario } from '../scenario.ts'
import type { Caller, ScenarioSuite, SuiteTenant } from '../suite.ts'

/** Questions that are asked at once, and how often, until one is refused. */
const burst = 60
const burstsMax = 50

/** How often, and how far apart, it is asked whether a store is back. */
const lookingMax = 600
const lookMs = 100

/** Asks for a job faster than is allowed until that is said; gives the refusal. */
async function hurry(suite: ScenarioSuite, caller: Caller, status: string): Promise<Answer> {
  for (let count = 0; count < burstsMax; count++) {
    const answers = await Promise.all(Array.from({ length: burst }, () => suite.ask(caller, 'GET', status)))
    const refusal = answers.find((answer) => answer.status === 429)
    for (const answer of answers) assert.ok(answer.status === 202 || answer.status === 429, String(answer.status))
    if (refusal) return refusal
  }
  throw new Error('nobody was told to ask less often')
}

const pollingTooFast = (tenant: SuiteTenant): Scenario => ({
  t: [169],
  rules: ['P4', '§8.1'],
  does: `polling too fast (${tenant === 'commons' ? 'hl7' : 'millennium'})`,
  outcome: '429 throttled with Retry-After; others, and DELETE, are not held up',
  run: async (suite) => {
    const caller = await suite.newCaller(tenant)
    await suite.hold(caller)
    const status = await startExport(suite, caller)
    const other = await suite.newCaller(tenant)
    await suite.hold(other)
    const theirs = await startExport(suite, other)
    const refusal = await hurry(suite, caller, status)
    assertRefused(refusal, 429, 'throttled')
    assert.equal(refusal.headers['retry-after'], '1')
    assert.equal((await suite.ask(other, 'GET', theirs)).status, 202)
    assert.equal((await suite.ask(caller, 'DELETE', status)).status, 202)
  },
})

/** P6: severity `error`, because the job goes on; the code as Oracle's tables have it, or the exact one. */
function assertOutage(answer: Answer, tenant: SuiteTenant): void {
  assert.equal(answer.status, 503, answer.body.toString('utf8'))
  const [issue] = outcomeOf(answer)
  assert.deepEqual([issue?.severity, issue?.code], ['error', tenant === 'commons' ? 'transient' : 'exception'])
}

/** A second server of the same store, which reaches it through a gate. */
async function playOutage(suite: ScenarioSuite, tenant: SuiteTenant): Promise<void> {
  const { server } = suite
  const caller = await suite.newCaller(tenant)
  await suite.hold(caller)
  const status = new URL(await startExport(suite, caller)).pathname
  const gate = await storeGate(server.database)
  const app = await startApp({
    store: { kind: 'external', url: gate.url },
    host: '127.0.0.1',
    port: 0,
    files: join(server.directory, 'files'),
    freeDiskBytes: 0,
    threads: 0,
    concurrency: 1,
    outbound: { privateAddresses: false },
    tokenSeconds: tokenSecondsDefault,
    log: pino({ level: 'silent' }),
  })
  try {
    const { id: clientId, key } = caller.client
    const signal = AbortSignal.timeout(60_000)
    const base = `${app.publicUrl}/r4/${tenant}`
    const { accessToken } = await requestToken({ base, clientId, key, scope: 'system/*.read', signal })
    const poll = () => suite.ask({ ...caller, token: accessToken }, 'GET', `${app.publicUrl}${status}`)
    assert.equal((await poll()).status, 202)
    await gate.shut()
    assertOutage(await poll(), tenant)
    await gate.open()
    let answer = await poll()
    // A connection that was cut may still be found in the pool once.
    for (let count = 0; answer.status === 503 && count < lookingMax; count++) {
      await pause(lookMs)
      answer = await poll()
    }
    assert.equal(answer.status, 202)
  } finally {
    await gate.open()
    await app.close()
    await gate.shut()
  }
}

const outage = (tenant: SuiteTenant): Scenario => ({
  t: [170],
  rules: ['P6'],
  does: `a store that cannot be reached while polling (${tenant === 'commons' ? 'hl7' : 'millennium'})`,
  outcome: `503 ${tenant === 'commons' ? 'transient' : 'exception'} with Retry-After, then 202 again`,
  run: (suite) => playOutage(suite, tenant),
})

/** T-169, T-170: what a client meets that asks for its job too often, or when the store is away. */
export const pollingScenarios: readonly Scenario[] = [
  pollingTooFast('clinic'),
  pollingTooFast('commons'),
  outage('clinic'),
  outage('commons'),
]
