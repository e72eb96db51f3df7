import type { IncomingMessage } from 'node:http'
import { shownTextMax } from '../limits.ts'

/** An issue as some server wrote it: nothing about its codes is taken for granted. */
export interface ForeignIssue {
  readonly severity: string
  readonly code: string
  /** `details.text` and `diagnostics`, as far as given; ready for a terminal. */
  readonly text: string
}

/** P6: issue codes that mean "this poll failed", not "the job failed". */
const transientCodes: ReadonlySet<string> = new Set([
  'transient',
  'lock-error',
  'no-store',
  'exception',
  'timeout',
  'incomplete',
  'throttled',
])

export const isTransient = (issue: ForeignIssue): boolean => transientCodes.has(issue.code)

/** A server's text made safe and short for a terminal: no control characters, one line. */
export function plainText(text: string, lengthMax = shownTextMax): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line
}

/** The issues of a parsed OperationOutcome; none when it is anything else. */
export function issuesOf(resource: unknown): ForeignIssue[] {
  if (!isObject(resource) || resource.resourceType !== 'OperationOutcome' || !Array.isArray(resource.issue)) return []
  return resource.issue.filter(isObject).map(readIssue)
}

/** The issues of an answer's body; none when it is no OperationOutcome in JSON. */
export function issuesIn(body: string): ForeignIssue[] {
  try {
    return issuesOf(JSON.parse(body))
  } catch {
    return []
  }
}

/** One sentence about a refusal: the status, the id that the server's operator can look for (S-56), each issue, else the body's start. */
export function explainAnswer({ statusCode, headers }: IncomingMessage, body: string): string {
  const requestId = headers['x-request-id']
  const status = `HTTP ${statusCode}${typeof requestId === 'string' ? ` (request ${plainText(requestId, 80)})` : ''}`
  const issues = issuesIn(body)
  const said = issues.length > 0 ? issues.map(describeIssue).join('; ') : body.startsWith('<') ? '' : body
  return said === '' ? status : `${status}: ${plainText(said)}`
}

const describeIssue = ({ severity, code, text }: ForeignIssue): string =>
  text === '' ? `${severity} (${code})` : `${text} (${code})`

function readIssue(issue: Record<string, unknown>): ForeignIssue {
  const details = isObject(issue.details) ? issue.details.text : undefined
  const texts = [details, issue.diagnostics].filter((text) => typeof text === 'string')
  return {
    severity: word(issue.severity),
    code: word(issue.code),
    text: plainText([...new Set(texts)].join(': ')),
  }
}

const word = (value: unknown): string => (typeof value === 'string' ? plainText(value, 40) : 'unknown')

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
