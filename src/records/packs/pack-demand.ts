/** What an export wants of packs. Times are milliseconds since 1970. */
export interface PackDemand {
  readonly tenant: string
  readonly types: readonly string[]
  /** Those of the types whose records may come out of packs; of the others packs only tell that nothing has changed since. */
  readonly usable: readonly string[]
  readonly asOf: number
  readonly since?: number | undefined
  /** Packs do not tell what is earlier than this: with it, none of the types is usable. */
  readonly until?: number | undefined
}
