import type { AttackResult, HostileResult } from './hostile.ts'
import { noticed } from './notice.ts'
import type { SoakResult } from './soak.ts'

/** What others may notice of an attack: so many times what they notice without. */
const ratioBar = 3

/** Tables that a line names. */
const tablesTold = 3

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const mega = (bytes: number): string => number(bytes / 1_000_000, bytes < 10_000_000 ? 1 : 0)

/** What was not answered as it should be: how often, and what came instead. */
const failedText = (failed: AttackResult['failed']): string =>
  Object.entries(failed)
    .map(([what, count]) => `${number(count)} × ${what.replaceAll('|', '/')}`)
    .join('; ') || '0'

/** The worst ratio of an attack. */
const worstOf = ({ ratios }: AttackResult): number => Math.max(...Object.values(ratios))

/** One table in Markdown: attack, what it costs the attacker, what others notice, what grows. */
export function hostileTable({ quiet, quietRows, attacks }: HostileResult): string {
  const heading = [
    'attack',
    'requests/s',
    'connections',
    'MB/s sent',
    'answers',
    ...noticed,
    'worst',
    'failed',
    'memory MB',
    'rows more',
    'disk MB more',
  ]
  const rows = attacks.map((result) => lineOf(result))
  const alone = [
    '*none, in ms*',
    '',
    '',
    '',
    '',
    ...noticed.map((kind) => number(quiet.ms[kind], 1)),
    '',
    failedText(quiet.failed),
    '',
    rowsText(quietRows),
    '',
  ]
  return [heading, heading.map(() => '---'), alone, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function rowsText(rows: Readonly<Record<string, number>>): string {
  const tables = Object.entries(rows)
  const told = tables.slice(0, tablesTold).map(([name, more]) => `${name.replace(/^.*\./, '')} ${number(more)}`)
  return told.join(', ') + (tables.length > tablesTold ? ` and ${tables.length - tablesTold} more tables` : '')
}

function lineOf(result: AttackResult): string[] {
  const { attack, cost, ratios, failed, rows, fileBytes, databaseBytes, megabytes } = result
  const worst = worstOf(result)
  return [
    attack,
    number(cost.requests / cost.seconds, 1),
    number(cost.connections),
    number(cost.bytesSent / cost.seconds / 1_000_000, 2),
    Object.entries(cost.statuses)
      .map(([status, count]) => `${status}: ${number(count)}`)
      .join(', '),
    ...noticed.map((kind) => `${number(ratios[kind], 1)}×`),
    worst > ratioBar ? `**${number(worst, 1)}×**` : `${number(worst, 1)}×`,
    failedText(failed),
    megabytes ? `${number(megabytes.before)} → ${number(megabytes.during)} → ${number(megabytes.after)}` : '',
    rowsText(rows),
    mega(fileBytes + databaseBytes),
  ]
}

/** One line for each stretch of a soak. */
export function soakTable({ quiet, stretches }: SoakResult): string {
  const heading = ['minutes', 'attack', ...noticed, 'failed', 'memory MB', 'rows more', 'files MB', 'database MB']
  const rows = stretches.map(({ minutes, attack, notice, megabytes = 0, rows, fileBytes, databaseBytes }) => [
    number(minutes, 1),
    attack,
    ...noticed.map((kind) => `${number(notice.ms[kind] / quiet.ms[kind], 1)}×`),
    failedText(notice.failed),
    number(megabytes),
    rowsText(rows),
    mega(fileBytes),
    mega(databaseBytes),
  ])
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
