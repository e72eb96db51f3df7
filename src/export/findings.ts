import type { Issue } from '../fhir/operation-outcome.ts'
import type { Problem } from './problem.ts'

/** Findings that are kept: a hostile body has a million of them, and a person reads a few. */
const findingsMax = 1_000

/** What is found while a request is read: everything wrong with it, and what lenient handling ignores (O-4). */
export class Findings {
  readonly problems: Problem[] = []
  readonly warnings: Issue[] = []
  readonly lenient: boolean

  constructor(lenient: boolean) {
    this.lenient = lenient
  }

  add(found: Problem): void {
    if (this.problems.length < findingsMax) this.problems.push(found)
  }

  addAll(found: readonly Problem[]): void {
    for (const problem of found) this.add(problem)
  }

  /** Something unsupported: a warning when handling is lenient, a problem otherwise. */
  unsupported(found: Problem): void {
    const { status: _, ...issue } = found
    if (!this.lenient) this.add(found)
    else if (this.warnings.length < findingsMax) this.warnings.push({ ...issue, severity: 'warning' })
  }
}
