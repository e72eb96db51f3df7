import assert from 'node:assert/strict'
import type { IssueCode } from '../../src/fhir/operation-outcome.ts'
import type { Answer } from './exchange.ts'

/** One issue of an OperationOutcome that was found valid. */
export interface OutcomeIssue {
  readonly severity: string
  readonly code: string
  readonly details: { readonly text: string }
  readonly diagnostics?: string
  readonly expression?: readonly string[]
}

/** A refusal with this status, whose first issue has this code. */
export function assertRefused(answer: Answer, status: number, code: IssueCode, expression?: string): void {
  assert.equal(answer.status, status, answer.body.toString('utf8'))
  const [issue] = outcomeOf(answer)
  assert.equal(issue?.code, code)
  if (expression !== undefined) assert.deepEqual(issue.expression, [expression])
}

const severities = ['fatal', 'error', 'warning', 'information']

/** R4 IssueType, all of it, so that a code which only we know is found. */
const issueTypes = (
  'invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported ' +
  'duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict ' +
  'transient lock-error no-store exception timeout incomplete throttled informational'
).split(' ')

const members = ['severity', 'code', 'details', 'diagnostics', 'expression']

/** A FHIRPath of names and indexes: `Parameters.parameter[3].valueString`. */
const pathPattern = /^[A-Za-z]\w*(\[\d+\])?(\.\w+(\[\d+\])?)*$/

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

/** K10: the body is an OperationOutcome as R4 defines it, sent as FHIR JSON. Gives its issues. */
export function outcomeOf(answer: Answer): readonly OutcomeIssue[] {
  assert.match(
    answer.headers['content-type'] ?? '(none)',
    /^application\/fhir\+json(;|$)/,
    'Content-Type of the answer',
  )
  return issuesOf(answer.body.toString('utf8'))
}

/** The issues of an OperationOutcome given as text; it must be valid. */
export function issuesOf(text: string): readonly OutcomeIssue[] {
  const resource = JSON.parse(text)
  assert.equal(resource.resourceType, 'OperationOutcome', text)
  assert.ok(Array.isArray(resource.issue) && resource.issue.length > 0, 'issue is 1..*')
  assert.deepEqual(Object.keys(resource).sort(), ['issue', 'resourceType'])
  for (const issue of resource.issue) checkIssue(issue)
  return resource.issue
}

function checkIssue(issue: OutcomeIssue): void {
  const about = JSON.stringify(issue)
  for (const name of Object.keys(issue)) assert.ok(members.includes(name), `unexpected member ${name}: ${about}`)
  assert.ok(severities.includes(issue.severity), about)
  assert.ok(issueTypes.includes(issue.code), about)
  assert.deepEqual(Object.keys(issue.details), ['text'], about)
  assert.ok(isText(issue.details.text), about)
  assert.ok(issue.diagnostics === undefined || isText(issue.diagnostics), about)
  if (issue.expression === undefined) return
  assert.ok(issue.expression.length > 0, about)
  for (const path of issue.expression) assert.match(path, pathPattern)
}

/** Whether a path leads into the resource: everything but its last step, which may be what is missing. */
export function leadsInto(path: string, resource: unknown): boolean {
  const steps = path.split('.').slice(1, -1)
  let at: unknown = resource
  for (const step of steps) {
    const [, name = '', index] = /^(\w+)(?:\[(\d+)\])?$/.exec(step) ?? []
    at = (at as Record<string, unknown> | undefined)?.[name]
    if (index !== undefined) at = (at as unknown[] | undefined)?.[Number(index)]
  }
  return at !== undefined && at !== null
}
