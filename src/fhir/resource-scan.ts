/** Bytes [start, end) of a resource; of a string those between its quotes. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Where that stands in the bytes of a resource what Millrace looks at. All strings are without escapes. */
export interface ResourceScan {
  readonly resourceType: Span
  readonly id: Span | undefined
  /** The object `meta` with its braces. */
  readonly meta: Span | undefined
  /** Its members but `versionId` and `lastUpdated`, each from its key on. */
  readonly metaKept: readonly Span[]
  readonly lastUpdated: Span | undefined
  /** `subject.reference` and `patient.reference`. */
  readonly subject: Span | undefined
  readonly patient: Span | undefined
  /** `reference` of each of the objects in `target`. */
  readonly targets: readonly Span[]
  /** `reference` at any depth, the ones above too. */
  readonly references: readonly Span[]
  /** `identifier`: the objects in it, or the one that it is. */
  readonly identifiers: readonly IdentifierScan[]
}

/** `system` and `value` of an identifier, where they are strings. */
interface IdentifierScan {
  readonly system: Span | undefined
  readonly value: Span | undefined
}

/** As much of a scan as has been found so far. */
export interface FoundSpans {
  resourceType: Span | undefined
  id: Span | undefined
  meta: Span | undefined
  readonly metaKept: Span[]
  lastUpdated: Span | undefined
  subject: Span | undefined
  patient: Span | undefined
  readonly targets: Span[]
  readonly references: Span[]
  readonly identifiers: { system: Span | undefined; value: Span | undefined }[]
}

export const nothingFound = (): FoundSpans => ({
  resourceType: undefined,
  id: undefined,
  meta: undefined,
  metaKept: [],
  lastUpdated: undefined,
  subject: undefined,
  patient: undefined,
  targets: [],
  references: [],
  identifiers: [],
})

/** Whether nothing is missing that a resource must have. */
export const isWholeScan = (found: FoundSpans): found is FoundSpans & ResourceScan => found.resourceType !== undefined
