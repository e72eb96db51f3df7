/** From so many types on, all packs of an owner are gone through, which takes less than finding each type. */
export const manyTypesMin = 8

/** What an export wants of packs. Times are milliseconds since 1970. */
export interface PackDemand {
  readonly tenant: string
  readonly types: readonly string[]
  /** Those of the types of whose records perhaps not all are wanted, or not as they are, whatever their times. */
  readonly chosen: readonly string[]
  /** Those of them that are mostly inflated, whatever the owner. */
  readonly inflated: readonly string[]
  /** Those of the types of which every record is exported, so that Provenances about them come along. */
  readonly whole: readonly string[]
  readonly asOf: number
  /** Only records that were updated later, earlier. A Provenance is not asked for its own time: it comes along with others. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Provenances are exported for themselves, too. */
  readonly alone: boolean
}
