import type { Report } from './report.ts'
import type { Clock } from './session/clock.ts'
import type { Session } from './session/session.ts'

/** What every step of one export works with. */
export interface Run {
  readonly session: Session
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly report: Report
}
