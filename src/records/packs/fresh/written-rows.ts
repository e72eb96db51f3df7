/**
 * Rows of the table `record` as one transaction has written them: all are first versions, and current. Plain data in shared memory, for
 * another thread to make packs of. Lists are blank-separated.
 */
export interface WrittenRows {
  readonly tenant: string
  /** As of a binary COPY, with the columns of `writtenColumns`. */
  readonly bytes: Buffer
  /** Where each row begins. */
  readonly starts: Int32Array
  /** From when they are valid, milliseconds since 1970. */
  readonly written: number
  /** The marks of the rows' owners and types, with the numbers that they have now. */
  readonly marks: { readonly owners: string; readonly types: string; readonly changes: string }
  /** Of Provenances: their targets with their owners, commas between those of one, and when each came, milliseconds since 1970; '' for one that is not there. */
  readonly targets: { readonly types: string; readonly ids: string; readonly owners: string; readonly came: string }
}

/** The owners of one of the targets. */
export const ownersIn = (listed: string): readonly string[] => listed.split(',')

/** The columns of the rows. */
export const writtenColumns =
  'owner,tenant,type,id,version,written,updated,deleted,lead,shared,refs,targets,digest,body'.split(',')

export const columnAt = {
  owner: 0,
  type: 2,
  id: 3,
  updated: 6,
  shared: 9,
  refs: 10,
  targets: 11,
  body: 13,
} as const
