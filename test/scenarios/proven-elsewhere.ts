/** Rows of protocol §15 that are proven elsewhere. */
export interface RowsProvenElsewhere {
  readonly from: number
  readonly to: number
  readonly what: string
  /** The test that proves the rows. */
  readonly where: string
}

export const rowsProvenElsewhere: readonly RowsProvenElsewhere[] = [
  { from: 183, to: 183, what: 'files of at most 50 MB, cut at line ends', where: 'unit test of the part writer' },
  { from: 187, to: 187, what: 'a restart during an export', where: 'fault test that kills the server' },
]
