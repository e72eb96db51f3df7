import type { BundleResult } from './bundles.ts'

/** Records a second of eight clients together. */
const barRecordsPerSecond = 5_000

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 0 })

/** One table in Markdown: how fast, how long one Bundle takes, and what a record costs whom. */
export function bundlesTable(results: readonly BundleResult[]): string {
  const heading = ['Bundles', 'records/s', 'bar', 'ms of a Bundle, p50', 'p99', ...spenders.map((who) => `µs, ${who}`)]
  const rows = results.map(({ label, records, seconds, ms, processorMicros: micros }) => [
    label,
    number(records / seconds),
    `≥ ${number(barRecordsPerSecond)}`,
    number(ms.median),
    number(ms.p99),
    ...(micros === undefined
      ? spenders.map(() => '')
      : [micros.server, micros.requestThreads, micros.database, micros.clients].map(number)),
  ])
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const spenders = ['server', 'request threads', 'database', 'clients'] as const
