/** One record of a population, ready to be written to a file of its type. */
export interface PopulationRecord {
  readonly type: string
  readonly id: string
  /** The resource as JSON on one line, without a line feed. */
  readonly line: string
}
