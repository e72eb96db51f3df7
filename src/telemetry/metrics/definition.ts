/** One metric: what it is, and what it is good for. The page, the dashboard and the alert rules are made of these. */
export interface Definition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** One sentence, without a full stop. */
  readonly help: string
  readonly unit: 'seconds' | 'bytes' | 'records' | 'timestamp' | 'count'
  /** Of each label the values that it may have, or what they are. Never a tenant, client or patient, nor anything that a caller chooses. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>
  /** Upper ends of a histogram's buckets. */
  readonly buckets?: readonly number[]
  /**
   * How the servers of a store add up. `process`: each tells its own, and the sum is that of all. `store`: each tells the same, so the largest
   * counts.
   */
  readonly of: 'process' | 'store'
  /** Who decides what on it. */
  readonly decides: string
}

/** Metrics by their names. */
export type Definitions = Readonly<Record<string, Definition>>
