import type { Definition } from '../../src/telemetry/metrics/definition.ts'
import { alerts } from './alerts.ts'
import { groups } from './panels.ts'

export const metricsPageFile = new URL('../../docs/reference/metrics.md', import.meta.url)

const head = `# Metrics

What \`/metrics\` tells, made by \`npm run pages\` of the table in \`src/telemetry/metrics/\`; a test compares both. How to get at it stands in
[Watching it](../operating.md#metrics). A [dashboard for Grafana](../monitoring/dashboard.json) and [alert
rules](../monitoring/alerts.yml) are made of the same table.

**No metric has a tenant, a client, a patient or a path as a label.** Routes are patterns, methods those that HTTP knows.

**Several servers.** Metrics *of each server* add up (\`sum\`). Those *of the store* are read from the database, and every server tells the same:
take the largest (\`max\`). Histograms have buckets, which add up before a quantile is taken of them.

**No sample.** A figure that cannot be had is left out of the page, and \`millrace_scrape_failures_total\` counts it: a gap is no zero.

**Counters** begin at 0 when a server starts, and count what that server did.
`

/** The page of all metrics and alert rules. */
export function metricsPage(): string {
  const sections = groups.map(
    ({ title, metrics }) => `## ${title}\n\n${Object.entries(metrics).map(entryOf).join('\n')}`,
  )
  return [head, ...sections, alertsSection()].join('\n')
}

function entryOf([name, { kind, help, labels, buckets, of, decides }]: [string, Definition]): string {
  const lines = [
    `### \`${name}\``,
    '',
    `${help}. A ${kind}${of === 'store' ? ' of the store' : ''}.`,
    '',
    ...Object.entries(labels ?? {}).map(([label, values]) => `- \`${label}\`: ${valuesOf(values)}`),
    ...(buckets ? [`- buckets: ${buckets.join(', ')}`] : []),
    `- decides ${decides}`,
    '',
  ]
  return lines.join('\n')
}

const valuesOf = (values: readonly string[] | string): string =>
  typeof values === 'string' ? values : values.map((value) => `\`${value}\``).join(', ')

function alertsSection(): string {
  const rows = alerts.map(
    ({ name, severity, summary, for: duration, todo }) =>
      `| \`${name}\` | ${severity} | ${summary}${duration === '0m' ? '' : `, for ${duration}`} | ${todo} |`,
  )
  return `## Alerts

The numbers are a beginning: change them to what you have promised. \`severity\` is a label for your Alertmanager.

| alert | severity | when | do |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
