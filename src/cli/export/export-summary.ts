import type { CountedIssue, ExportSummary, FileSummary } from '../../client/report.ts'

/** The end of an export for a reader: a table by type, the rate, what the server reports, and how to go on. */
export function describeSummary(summary: ExportSummary): string {
  const { totals, downloadSeconds, transactionTime, issues, warnings, problems } = summary
  const rate = Math.round(totals.records / Math.max(downloadSeconds, 0.001))
  const lines = [
    ...table(summary.files),
    '',
    `${formatCount(totals.records)} records in ${downloadSeconds.toFixed(1)} s (${formatCount(rate)} records/s, verified), ` +
      `${summary.seconds.toFixed(1)} s in all`,
    ...issueLines(issues),
    ...warnings.map((text) => `Warning: ${text}`),
  ]
  if (problems.length === 0) lines.push(`For what changes from now on, next time: --since ${transactionTime}`)
  return `${lines.join('\n')}\n`
}

function table(files: readonly FileSummary[]): string[] {
  const rows = new Map<string, { files: number; records: number; bytes: number }>()
  for (const { type, count, bytes } of files) {
    for (const name of [type, 'Total']) {
      const row = rows.get(name) ?? { files: 0, records: 0, bytes: 0 }
      rows.set(name, { files: row.files + 1, records: row.records + count, bytes: row.bytes + bytes })
    }
  }
  const total = rows.get('Total') ?? { files: 0, records: 0, bytes: 0 }
  rows.delete('Total')
  const line = (name: string, ...cells: string[]) => name.padEnd(22) + cells.map((cell) => cell.padStart(13)).join('')
  return [
    line('Type', 'Files', 'Records', 'Size'),
    ...[...rows, ['Total', total] as const].map(([name, row]) =>
      line(name, formatCount(row.files), formatCount(row.records), formatBytes(row.bytes)),
    ),
  ]
}

function issueLines(issues: readonly CountedIssue[]): string[] {
  if (issues.length === 0) return []
  const lines = issues.map(
    ({ severity, code, text, count }) => `  ${formatCount(count)} × ${severity} ${code}: ${text}`,
  )
  return ['What the server says about the data:', ...lines]
}

export const formatCount = (count: number): string => count.toLocaleString('en')

/** Decimal units, one decimal. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1)
  return power === 0 ? `${Math.round(bytes)} B` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`
}
