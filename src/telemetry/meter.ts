import type { CounterName, HistogramName, MetricName } from './metrics/metrics-table.ts'

export type Labels = Readonly<Record<string, string>>

/** Takes what happens. It costs next to nothing, and never fails. */
export interface Meter {
  readonly count: (name: CounterName, labels?: Labels, amount?: number) => void
  readonly observe: (name: HistogramName, value: number, labels?: Labels) => void
}

/** A figure as it is at the moment. */
export interface Sample {
  readonly name: MetricName
  readonly value: number
  readonly labels?: Labels
}

/** Where nobody asks. */
export const noMeter: Meter = { count: () => {}, observe: () => {} }
