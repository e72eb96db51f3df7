import { issueKindsMax } from './limits.ts'
import type { CountedIssue } from './report.ts'
import type { ForeignIssue } from './session/outcome.ts'

/** Counts equal issues, a bounded number of different ones; the rest is counted together. */
export class IssueTally {
  readonly #counts = new Map<string, CountedIssue>()

  add(issue: ForeignIssue, count = 1): void {
    const key = JSON.stringify([issue.severity, issue.code, issue.text])
    const known = this.#counts.get(key)
    if (known) this.#counts.set(key, { ...known, count: known.count + count })
    else if (issue === otherIssues || this.#counts.size < issueKindsMax) this.#counts.set(key, { ...issue, count })
    else this.add(otherIssues, count)
  }

  addAll(other: IssueTally): void {
    for (const { count, ...issue } of other.#counts.values()) this.add(issue, count)
  }

  /** The most frequent first. */
  list(): CountedIssue[] {
    return [...this.#counts.values()].sort((left, right) => right.count - left.count)
  }
}

const otherIssues: ForeignIssue = { severity: 'unknown', code: 'unknown', text: '(other issues)' }
