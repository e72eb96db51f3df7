import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** A row of docs/reference/problems.md. */
export interface ProblemRow {
  /** An HTTP status, or a severity. */
  readonly status: string
  readonly codes: readonly string[]
  /** With an ellipsis for what differs. */
  readonly text: string
}

const page = new URL('../docs/reference/problems.md', import.meta.url)

/** The rows of docs/reference/problems.md. */
export function problemRows(): ProblemRow[] {
  const lines = readFileSync(page, 'utf8').split('\n')
  return lines.flatMap((line) => {
    const [, status, codes, text] =
      /^\| (\d{3}|fatal|warning|information) \| ([a-z, -]+) \| (.+?) \| .+ \|$/.exec(line) ?? []
    if (!status || !codes || !text) return []
    return [{ status, codes: codes.split(', '), text }]
  })
}

const rows = problemRows()

/** What stands in for the problems beyond those that an answer lists. */
const rest = /^\d+ more issues are not listed\.$/

/** The code that millennium shows in place of the exact one; `invalid` for all other statuses. */
const parents: Readonly<Record<string, string>> = { 401: 'login', 404: 'not-found', 503: 'exception' }

interface SentIssue {
  readonly severity: string
  readonly code: string
  readonly details: { readonly text: string }
}

/** Each issue of a refusal has a row: its text and its code, which in millennium is the parent (D30). The first one has the status. */
export function assertDocumented(status: number, issues: readonly SentIssue[]): void {
  for (const [index, { severity, code, details }] of issues.entries()) {
    if (rest.test(details.text)) continue
    const fitting = rows.filter((row) => isOccurrence(details.text, row))
    const own = index === 0 ? fitting.filter((row) => [String(status), severity].includes(row.status)) : fitting
    assert.ok(own.length > 0, `docs/reference/problems.md has no row | ${status} | ${code} | ${details.text} |`)
    const codes = own.flatMap((row) => [...row.codes, parents[row.status] ?? 'invalid'])
    assert.ok(codes.includes(code), `${code} is no code of "${details.text}"`)
  }
}

/** Whether a text that was sent is an occurrence of a row. */
const isOccurrence = (text: string, row: ProblemRow): boolean =>
  new RegExp(`^${row.text.split('…').map(RegExp.escape).join('[^]*')}$`).test(text)
