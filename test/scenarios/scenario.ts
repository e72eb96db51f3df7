import type { IssueCode } from '../../src/fhir/operation-outcome.ts'
import type { Caller, ScenarioSuite } from './suite.ts'

/** How a tenant is served: by a profile, or by the strict form of millennium. */
export type Served = 'millennium' | 'strict' | 'hl7'

/** What every row tells of itself. */
interface Rule {
  /** Numbers of protocol §15; none when the rule has no row there. */
  readonly t: readonly number[]
  /** The rules it comes from: `S-23`, `O-9`, `§2.6` … */
  readonly rules: readonly string[]
  /** What is done, as the middle of a sentence. */
  readonly does: string
  /** How the tenant is served, if in one way only. Otherwise a request is run under both profiles, a story under millennium. */
  readonly profile?: Served
}

/** How a request differs from the smallest valid kick-off (`minimalKickOff`). In texts `{base}` stands for the FHIR base. */
export interface Change {
  readonly method?: string
  /** Under the FHIR base. */
  readonly path?: string
  /** null takes a header away; a list sends it several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>
  /** In place of the one patient. */
  readonly patients?: readonly unknown[]
  /** Behind the patients. */
  readonly parameters?: readonly unknown[]
  /** In place of the whole body: text and bytes as they are, everything else as JSON. null sends none. */
  readonly body?: unknown
  /** Of the client and its token. */
  readonly scope?: string
  /** In place of the caller's token; undefined sends no `Authorization`. */
  readonly authorization?: (suite: ScenarioSuite, caller: Caller) => Promise<string | undefined>
  /** The tenant in the path, when it is not the caller's. */
  readonly to?: string
}

/** A row about one request and its answer. */
export interface RequestRow extends Rule {
  readonly change?: Change
  readonly status: number
  /** The code of one of the issues, the first unless `expression` names another. */
  readonly code?: IssueCode
  /** What to expect under hl7 in place of `code`: there, issue codes are the exact ones (D30). */
  readonly fine?: IssueCode
  /** What differs under hl7 beside the code. With another status, nothing else that is expected of the row holds there. */
  readonly hl7?: Pick<RequestRow, 'status' | 'code' | 'warnings' | 'answers'>
  /** FHIRPath location of that issue. */
  readonly expression?: string
  /** Headers of the answer. */
  readonly answers?: Readonly<Record<string, RegExp>>
  /** Codes of the warnings in the 202's body and in the `error` file of the export. */
  readonly warnings?: readonly IssueCode[]
}

/** A row about several requests, or about what comes out of an export. */
export interface StoryRow extends Rule {
  readonly outcome: string
  readonly run: (suite: ScenarioSuite) => Promise<void>
}

export type Scenario = RequestRow | StoryRow

/** A row as it is under a profile. */
export function rowIn(row: RequestRow, profile: Served): RequestRow {
  if (profile !== 'hl7') return row
  const { t, rules, does, change = {}, hl7 } = row
  if (hl7 !== undefined && hl7.status !== row.status) return { t, rules, does, change, ...hl7 }
  const code = row.fine ?? row.code
  return { ...row, ...(code === undefined ? {} : { code }), ...hl7 }
}

/** The ways in which a row is run. */
export function servedIn(row: Scenario): readonly Served[] {
  if (row.profile !== undefined) return [row.profile]
  return 'run' in row ? ['millennium'] : ['millennium', 'hl7']
}

export const titleOf = (row: Scenario, profile?: Served): string => {
  const numbers = row.t.length > 0 ? row.t.map((number) => `T-${number}`) : row.rules
  const told = 'run' in row ? row.outcome : `${row.status} ${row.code ?? ''}`
  return `${numbers.join(' ')} ${row.does}${profile ? ` (${profile})` : ''}: ${told.trim()}`
}
