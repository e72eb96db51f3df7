import type { Issue } from '../../fhir/operation-outcome.ts'
import type { Problem } from '../problem.ts'

/** Problems that are kept, and warnings: a hostile body has many more of them, and a person reads a few. The rest are counted. */
export const findingsMax = 1_000

/** What is found while a request is read: everything wrong with it, and what lenient handling ignores (O-4). */
export class Findings {
  /** The first of them. */
  readonly problems: Problem[] = []
  /** How many there are, those that are not kept too. */
  total = 0
  readonly lenient: boolean
  readonly #warnings: Issue[] = []
  #told = 0

  constructor(lenient: boolean) {
    this.lenient = lenient
  }

  add(found: Problem): void {
    this.total++
    if (this.problems.length < findingsMax) this.problems.push(found)
  }

  addAll(found: readonly Problem[]): void {
    for (const problem of found) this.add(problem)
  }

  /** Something unsupported: a warning when handling is lenient, a problem otherwise. */
  unsupported(found: Problem): void {
    const { status: _, ...issue } = found
    if (!this.lenient) {
      this.add(found)
      return
    }
    this.warn({ ...issue, severity: 'warning' })
  }

  /** Something else that the client is told. */
  warn(found: Issue): void {
    this.#told++
    if (this.#warnings.length < findingsMax) this.#warnings.push(found)
  }

  /** A warning for each thing that was ignored, or that there is to tell; the last one counts those that are too many. */
  get warnings(): readonly Issue[] {
    const more = this.#told - this.#warnings.length
    if (more === 0) return this.#warnings
    const text = 'More was ignored than is told here.'
    return [...this.#warnings, { severity: 'warning', code: 'not-supported', text, diagnostics: `${more} more` }]
  }
}
