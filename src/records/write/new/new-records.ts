/**
 * Records that are probably new, as rows of a binary COPY but for what only the transaction knows that writes them: their time, and the
 * owners of Provenances. A record has a row for each of its owners, and a Provenance one. Plain data in shared memory, which other threads can make. Lists are blank-separated, as statements take them.
 */
export interface NewRecords {
  /** The rows, one after the other, with the columns of `writtenColumns`. Of Provenances the owner is empty. */
  readonly bytes: Buffer
  /** Records. */
  readonly count: number
  /** For each row three numbers: where it begins, and the places that `Stamps` is to fill in; at last where the rows end. */
  readonly places: Int32Array
  /** Distinct pairs of owners and types, but of Provenances and of what belongs to nobody. */
  readonly owned: { readonly owners: string; readonly types: string }
  /** Where the rows are Provenances: then all of them are. */
  readonly provenances: NewProvenances | undefined
  /** Of each identifier the record, and its token in hex. */
  readonly identifiers: { readonly types: string; readonly ids: string; readonly tokens: string }
}

/** What Provenances are about. */
export interface NewProvenances {
  /** Distinct targets. */
  readonly targets: { readonly types: string; readonly ids: string }
  /** For each row where its targets begin in `indexes`, and at last where they end. */
  readonly starts: Int32Array
  /** Of `targets`. */
  readonly indexes: Int32Array
}

/** Numbers of a row in `places`. */
export const placesOfRow = 3

/** What stands in the body of a first version before its time. */
export const beforeTime = '"versionId":"1","lastUpdated":"'

/** In place of the time in a body that is to be filled in. */
export const noTime = -1
