import type { Definition } from './definition.ts'
import { exportMetrics } from './export-metrics.ts'
import { httpMetrics } from './http-metrics.ts'
import { processMetrics } from './process-metrics.ts'
import { storeMetrics } from './store-metrics.ts'

/** All metrics by their names, in the order in which they are told. */
const metricsTable = { ...exportMetrics, ...storeMetrics, ...httpMetrics, ...processMetrics } as const

export type MetricName = keyof typeof metricsTable

type NameOf<Kind extends Definition['kind']> = {
  [Name in MetricName]: (typeof metricsTable)[Name]['kind'] extends Kind ? Name : never
}[MetricName]

export type CounterName = NameOf<'counter'>
export type HistogramName = NameOf<'histogram'>

export const metricNames = Object.keys(metricsTable) as MetricName[]

export const definitionOf = (name: MetricName): Definition => metricsTable[name]
