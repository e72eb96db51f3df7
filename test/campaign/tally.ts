import type { Answer } from './caller.ts'

/** What a campaign has seen, and what was wrong. */
export class Tally {
  readonly strikes = new Map<string, number>()
  readonly statuses = new Map<string, number>()
  readonly violations: string[] = []
  readonly skipped = new Set<string>()
  readonly counts = {
    rounds: 0,
    acknowledgedWrites: 0,
    lostWrites: 0,
    unknownWrites: 0,
    unknownThatTookEffect: 0,
    exports: 0,
    exportedLines: 0,
    wrongLines: 0,
    stuckJobs: 0,
    loads: 0,
    auditVerifications: 0,
  }
  slowest = { ms: 0, of: '' }
  /** Put before each violation: which round it was. */
  place = ''

  violation(text: string): void {
    this.violations.push(`${this.place}: ${text}`)
  }

  /** Counts an answer. Only 503 with `Retry-After` is a right one of those that blame the server. */
  answer(request: string, { status, headers, text }: Answer, ms: number): void {
    count(this.statuses, String(status))
    if (ms > this.slowest.ms) this.slowest = { ms, of: `${request.slice(0, 100)}: ${status}` }
    const retry = Number(headers.get('retry-after'))
    if ((status === 503 || status === 429) && !(retry > 0)) this.violation(`${request}: ${status} without Retry-After`)
    if (status >= 500 && status !== 503) this.violation(`${request}: ${status} ${text.slice(0, 300)}`)
  }

  noAnswer(ms: number): void {
    count(this.statuses, 'none')
    if (ms > this.slowest.ms) this.slowest = { ms, of: 'no answer' }
  }

  strike(name: string): void {
    count(this.strikes, name)
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
