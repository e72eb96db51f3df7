import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { alertRules, alertRulesFile } from '../scripts/metrics/alert-rules.ts'
import { alerts } from '../scripts/metrics/alerts.ts'
import { dashboard, dashboardFile } from '../scripts/metrics/dashboard.ts'
import { metricsPage, metricsPageFile } from '../scripts/metrics/page.ts'
import { definitionOf, type MetricName, metricNames } from '../src/telemetry/metrics/metrics-table.ts'

/** What Prometheus itself adds to each sample. */
const ownLabels = new Set(['job', 'instance', 'le'])

interface Dashboard {
  readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[]
}
const { panels } = JSON.parse(readFileSync(dashboardFile, 'utf8')) as Dashboard
const onDashboard = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
const inRules = alerts.map(({ query }) => query)

/** Names of series that a metric has. */
function seriesOf(name: MetricName): string[] {
  return definitionOf(name).kind === 'histogram' ? ['bucket', 'sum', 'count'].map((end) => `${name}_${end}`) : [name]
}
const metricOf = new Map(metricNames.flatMap((name) => seriesOf(name).map((series) => [series, name] as const)))

/** The series that a query names, each with its selectors. */
function selectorsOf(
  query: string,
): { readonly series: string; readonly labels: readonly [string, string, string][] }[] {
  return [...query.matchAll(/\b((?:millrace|http|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)]
    .filter(([, series = '']) => !isLabel(series))
    .map(([, series = '', inner = '']) => ({
      series,
      labels: [...inner.matchAll(/(\w+)(=~|=)"([^"]*)"/g)].map(([, name = '', how = '', value = '']) => [
        name,
        how,
        value,
      ]),
    }))
}

const labelNames = new Set(metricNames.flatMap((name) => Object.keys(definitionOf(name).labels ?? {})))
const isLabel = (name: string): boolean => labelNames.has(name)

function faultsOf(query: string): string[] {
  const faults: string[] = []
  const selectors = selectorsOf(query)
  if (selectors.length === 0) faults.push(`${query} names no metric`)
  const grouped = [...query.matchAll(/\b(?:by|on|without) \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(', '))
  for (const { series, labels } of selectors) {
    const name = metricOf.get(series)
    if (name === undefined) {
      faults.push(`${series} is no metric`)
      continue
    }
    const known = definitionOf(name).labels ?? {}
    for (const [label, how, value] of labels) {
      if (ownLabels.has(label)) continue
      const values = known[label]
      if (values === undefined) faults.push(`${name} has no label ${label}`)
      else if (typeof values !== 'string' && !values.some((each) => isMet(each, how, value)))
        faults.push(`${label}${how}"${value}" of ${name} is never met`)
    }
    for (const label of grouped) {
      if (!ownLabels.has(label) && known[label] === undefined) faults.push(`${name} has no label ${label}`)
    }
  }
  return faults
}

const isMet = (value: string, how: string, wanted: string): boolean =>
  how === '=' ? value === wanted : new RegExp(`^(?:${wanted})$`).test(value)

test('the page, the dashboard and the alert rules are those of the table: else run npm run pages', () => {
  assert.equal(readFileSync(metricsPageFile, 'utf8'), metricsPage())
  assert.equal(readFileSync(dashboardFile, 'utf8'), dashboard())
  assert.equal(readFileSync(alertRulesFile, 'utf8'), alertRules())
})

test('every query names metrics of the table, with labels and values that they have', () => {
  for (const query of [...onDashboard, ...inRules]) assert.deepEqual(faultsOf(query), [], query)
})

test('every metric of the table is on the dashboard, and what an operator must act on is in the rules', () => {
  const shown = new Set(onDashboard.flatMap((query) => selectorsOf(query).map(({ series }) => metricOf.get(series))))
  assert.deepEqual(
    metricNames.filter((name) => !shown.has(name)),
    [],
  )
  const judged = new Set(inRules.flatMap((query) => selectorsOf(query).map(({ series }) => metricOf.get(series))))
  for (const name of [
    ...['millrace_oldest_waiting_seconds', 'millrace_exports_ended_total', 'millrace_disk_free_bytes'],
    ...['millrace_certificate_expiry_timestamp_seconds', 'millrace_audit_backlog', 'millrace_scrape_failures_total'],
  ] as const)
    assert.ok(judged.has(name), name)
})

test('faults of a query are found', () => {
  assert.deepEqual(faultsOf('sum(millrace_gone)'), ['millrace_gone is no metric'])
  assert.deepEqual(faultsOf('up == 0'), ['up == 0 names no metric'])
  assert.deepEqual(faultsOf('millrace_jobs{state="lost"}'), ['state="lost" of millrace_jobs is never met'])
  assert.deepEqual(faultsOf('millrace_jobs{tenant="a"}'), ['millrace_jobs has no label tenant'])
  assert.deepEqual(faultsOf('sum by (client) (millrace_jobs)'), ['millrace_jobs has no label client'])
  assert.deepEqual(faultsOf('millrace_export_seconds'), ['millrace_export_seconds is no metric'])
})

test('no metric has a label for a tenant, a client, a patient, a job or a path', () => {
  const forbidden = /tenant|client|patient|owner|user|path|url$|address|^job$|id$/
  assert.deepEqual(
    [...labelNames].filter((name) => forbidden.test(name)),
    [],
  )
})

test('names end in their unit, counters in _total', () => {
  for (const name of metricNames) {
    const { kind, unit } = definitionOf(name)
    const base = name.replace(/_total$/, '')
    assert.equal(kind === 'counter', name !== base, name)
    if (unit === 'seconds' || unit === 'bytes')
      assert.ok(base.endsWith(`_${unit}`) || name === 'millrace_bytes_in_flight', name)
    if (unit === 'timestamp') assert.match(name, /_time(stamp)?_seconds$/)
  }
})
