import type { Definition } from '../../src/telemetry/metrics/definition.ts'
import { exportMetrics } from '../../src/telemetry/metrics/export-metrics.ts'
import { httpMetrics } from '../../src/telemetry/metrics/http-metrics.ts'
import { processMetrics } from '../../src/telemetry/metrics/process-metrics.ts'
import { storeMetrics } from '../../src/telemetry/metrics/store-metrics.ts'

/** A line of a panel. */
export interface Target {
  readonly query: string
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly says: string
  /** As Grafana calls it. */
  readonly unit: string
  readonly targets: readonly Target[]
}

export interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

/** Groups of metrics, with what they are about. */
export const groups = [
  { title: 'Exports', metrics: exportMetrics },
  { title: 'The store', metrics: storeMetrics },
  { title: 'Requests', metrics: httpMetrics },
  { title: 'The process and its machine', metrics: processMetrics },
] as const

const of = (name: string, labels = ''): string => `${name}{job=~"$job"${labels === '' ? '' : `, ${labels}`}}`
const rate = (selector: string): string => `rate(${selector}[$__rate_interval])`

/** What is looked at first. */
const overview: Row = {
  title: 'At a glance',
  panels: [
    {
      title: 'Records exported per second',
      says: 'By where they came from.',
      unit: 'short',
      targets: [{ query: `sum by (source) (${rate(of('millrace_export_records_total'))})`, legend: '{{source}}' }],
    },
    {
      title: 'Share of packs',
      says: 'Of the records that were exported, how many came out of packs. Where it is low, `millrace pack` makes exports faster.',
      unit: 'percentunit',
      targets: [
        {
          query: `sum(${rate(of('millrace_export_records_total', 'source=~"packs|chosen"'))}) / sum(${rate(of('millrace_export_records_total'))})`,
          legend: 'out of packs',
        },
      ],
    },
    {
      title: 'Oldest waiting work',
      says: 'Workers keep up while this stays low.',
      unit: 's',
      targets: [{ query: `max by (work) (${of('millrace_oldest_waiting_seconds')})`, legend: '{{work}}' }],
    },
    {
      title: 'Failed requests and refusals',
      says: 'Requests per second by status, of those that were not answered as asked.',
      unit: 'reqps',
      targets: [
        {
          query: `sum by (http_response_status_code) (${rate(of('http_server_request_duration_seconds_count', 'http_response_status_code=~"[45].."'))})`,
          legend: '{{http_response_status_code}}',
        },
      ],
    },
  ],
}

/** All rows: a glance, then every metric of the table. */
export const rows = (): Row[] => [
  overview,
  ...groups.map(({ title, metrics }) => ({
    title,
    panels: Object.entries(metrics).map(([name, definition]) => panelOf(name, definition)),
  })),
]

const units: Readonly<Record<Definition['unit'], string>> = {
  seconds: 's',
  bytes: 'bytes',
  records: 'short',
  timestamp: 'dateTimeAsIso',
  count: 'short',
}

function panelOf(name: string, definition: Definition): Panel {
  const { help, decides, unit } = definition
  const perSecond = definition.kind === 'counter' && unit === 'bytes' ? 'Bps' : units[unit]
  return { title: name, says: `${help}.\n\nDecides ${decides}.`, unit: perSecond, targets: targetsOf(name, definition) }
}

/** A store's figures are the same on all its servers; those of processes add up. */
function targetsOf(name: string, { kind, labels = {}, of: whose, unit }: Definition): Target[] {
  const by = Object.keys(labels)
  const legend = by.map((label) => `{{${label}}}`).join(' ') || name
  if (kind === 'histogram') return quantilesOf(name, by)
  if (unit === 'timestamp')
    return [{ query: `min by (${['instance', ...by].join(', ')}) (${of(name)}) * 1000`, legend: '{{instance}}' }]
  const aggregate = whose === 'store' ? 'max' : 'sum'
  const value = kind === 'counter' ? rate(of(name)) : of(name)
  return [{ query: `${aggregate}${by.length === 0 ? '' : ` by (${by.join(', ')})`} (${value})`, legend }]
}

/** Of requests the route says most; the other labels would make too many lines. */
function quantilesOf(name: string, labels: readonly string[]): Target[] {
  const by = labels.includes('http_route') ? ['http_route'] : labels
  const legend = by.map((label) => `{{${label}}}`).join(' ')
  return [0.5, 0.99].map((quantile) => ({
    query: `histogram_quantile(${quantile}, sum by (${['le', ...by].join(', ')}) (${rate(of(`${name}_bucket`))}))`,
    legend: `p${quantile * 100} ${legend}`.trim(),
  }))
}
