import type { Result } from '../figure.ts'
import { costChart } from './cost-chart.ts'
import { throughputChart } from './throughput-chart.ts'

/** A chart as a file. */
export interface Chart {
  readonly name: string
  readonly title: string
  readonly svg: string
}

/** The charts for which there are figures. */
export function chartsOf(result: Result): Chart[] {
  const cost = costChart(result)
  return [
    { name: 'throughput.svg', title: 'Records per second of each measure', svg: throughputChart(result.figures) },
    ...(cost === undefined
      ? []
      : [{ name: 'cost.svg', title: 'Cost of a small export against stored size', svg: cost }]),
  ]
}
