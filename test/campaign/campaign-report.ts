import type { Tally } from './tally.ts'

/** What a campaign has found, as one table, and how to repeat it. */
export function report(tally: Tally, command: string): string {
  const { counts } = tally
  const rows: [string, string | number][] = [
    ['rounds', counts.rounds],
    ...sorted(tally.strikes).map(([name, count]): [string, number] => [`strikes: ${name}`, count]),
    ['acknowledged writes checked', counts.acknowledgedWrites],
    ['acknowledged writes lost or wrong', counts.lostWrites],
    ['writes of unknown outcome', counts.unknownWrites],
    ['of these took effect', counts.unknownThatTookEffect],
    ['loads begun', counts.loads],
    ['exports checked', counts.exports],
    ['exported lines checked', counts.exportedLines],
    ['exported lines lost, wrong or twice', counts.wrongLines],
    ['stuck jobs', counts.stuckJobs],
    ['audit verifications', counts.auditVerifications],
    ...sorted(tally.statuses).map(([status, count]): [string, number] => [`answers: ${status}`, count]),
    ['slowest answer', `${(tally.slowest.ms / 1_000).toFixed(1)} s (${tally.slowest.of})`],
    ['violations', tally.violations.length],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...[...tally.skipped].map((skipped) => `NOT DONE  ${skipped}`),
    `repeat with  ${command}`,
  ].join('\n')
}

const sorted = (counts: ReadonlyMap<string, number>): [string, number][] =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
