import type { Issue } from '../fhir/operation-outcome.ts'
import type { Problem } from './problem.ts'

/** What is found while a request is read: everything wrong with it, and what lenient handling ignores (O-4). */
export class Findings {
  readonly problems: Problem[] = []
  readonly warnings: Issue[] = []
  readonly #lenient: boolean

  constructor(lenient: boolean) {
    this.#lenient = lenient
  }

  add(...found: readonly Problem[]): void {
    this.problems.push(...found)
  }

  /** Something unsupported: a warning when handling is lenient, a problem otherwise. */
  unsupported(found: Problem): void {
    const { status: _, ...issue } = found
    if (this.#lenient) this.warnings.push({ ...issue, severity: 'warning' })
    else this.add(found)
  }
}
