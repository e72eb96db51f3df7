import assert from 'node:assert/strict'
import type { Answer, Exchange } from './exchange.ts'
import { exportedBy } from './exported.ts'
import { kickOffRequest } from './kick-off.ts'
import { leadsInto, type OutcomeIssue, outcomeOf } from './outcome.ts'
import type { RequestRow, Served } from './scenario.ts'
import type { Caller, ScenarioSuite } from './suite.ts'

const tenants = { millennium: 'clinic', strict: 'textbook', hl7: 'commons' } as const

/** Runs a row about one request, as it is under a profile. */
export async function runRequestRow(suite: ScenarioSuite, row: RequestRow, profile: Served): Promise<void> {
  const { scope } = row.change ?? {}
  const tenant = tenants[profile]
  const caller = await (row.status === 202 ? suite.newCaller(tenant, scope) : suite.sharedCaller(tenant, scope))
  const request = await kickOffRequest(suite, caller, row.change)
  const answer = await suite.send(request)
  assert.equal(answer.status, row.status, answer.body.toString('utf8'))
  for (const [name, pattern] of Object.entries(row.answers ?? {})) assert.match(String(answer.headers[name]), pattern)
  if (row.status >= 400) checkRefusal(row, request, answer)
  else if (row.status === 202) await checkAcceptance(suite, row, caller, answer)
}

function checkRefusal(row: RequestRow, request: Exchange, answer: Answer): void {
  const issues = outcomeOf(answer)
  const { expression } = row
  const meant = expression === undefined ? issues[0] : issues.find((issue) => issue.expression?.includes(expression))
  assert.ok(meant, `no issue has the expression ${expression}: ${JSON.stringify(issues)}`)
  assert.equal(meant.code, row.code, JSON.stringify(issues))
  for (const issue of issues) checkLocation(issue, request)
}

/** A location must lead somewhere in what was sent; a body that is not JSON has none. */
function checkLocation(issue: OutcomeIssue, { body }: Exchange): void {
  for (const path of issue.expression ?? []) {
    assert.ok(leadsInto(path, JSON.parse(String(body).replace(/^\ufeff/, ''))), `${path} leads nowhere`)
  }
}

/** S-53…S-55: 202 with the status URL. The body is empty, unless lenient handling ignored something (§2.4). */
async function checkAcceptance(suite: ScenarioSuite, row: RequestRow, caller: Caller, answer: Answer): Promise<void> {
  const statusUrl = String(answer.headers['content-location'])
  const jobs = `${suite.base(caller.tenant)}/bulk-export/jobs/`
  assert.ok(statusUrl.startsWith(jobs), statusUrl)
  assert.match(statusUrl.slice(jobs.length), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  if (row.warnings === undefined) {
    assert.equal(answer.body.length, 0, answer.body.toString('utf8'))
    return
  }
  const warnings = outcomeOf(answer)
  assert.deepEqual(
    warnings.map(({ severity, code }) => [severity, code]),
    row.warnings.map((code) => ['warning', code]),
  )
  const { errors } = await exportedBy(suite, caller, statusUrl)
  assert.deepEqual(errors, warnings)
}
