/** Rows of protocol §15 that no scenario plays yet, or that are proven elsewhere, and where they belong. */
export interface LaterRows {
  readonly from: number
  readonly to: number
  readonly what: string
  /** The subject of the later work, or the test that proves the rows. */
  readonly where: string
}

const protocol = "later: Protocol: every sentence of the operation's page, and the HL7 profile beside it"

export const laterRows: readonly LaterRows[] = [
  { from: 183, to: 183, what: 'files of at most 50 MB, cut at line ends', where: 'unit test of the part writer' },
  { from: 185, to: 185, what: 'deleted Bundles in profile hl7', where: protocol },
  { from: 187, to: 187, what: 'a restart during an export', where: 'fault test that kills the server' },
]

/** Rows that are played, but not in all of their sentence. */
export const partlyLaterRows: readonly { readonly t: number; readonly what: string; readonly where: string }[] = [
  { t: 38, what: 'the exact issue code of an unknown type in profile hl7', where: protocol },
  { t: 127, what: 'what profile hl7 does with these parameters', where: protocol },
  { t: 152, what: 'GET kick-off in profile hl7', where: protocol },
  { t: 165, what: 'scopes of status requests in profile hl7', where: protocol },
]
