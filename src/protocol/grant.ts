import type { Query } from '../filter/query.ts'
import { type Problem, problem } from './problem.ts'

/** The query of a granular scope that can be applied. */
export type GrantedQuery = Query

/** What may be read of a type: every record, none, or those that meet one of the queries of granular scopes. */
export type Readable = 'all' | 'none' | readonly GrantedQuery[]

/** Types that no wildcard reaches: who may export every record may not look into the audit trail for that reason. */
export const isNamedOnly = (type: string): boolean => type === 'AuditEvent'

/** What an authenticated caller may do: one client of one tenant with system scopes (S-6, S-51). */
export interface Grant {
  readonly tenant: string
  readonly client: string
  /** What it was made of, and another thread can make it of again. */
  readonly scopes: readonly string[]
  /** True when the token has at least one `system/` scope; `user/` and `patient/` scopes never count. */
  readonly system: boolean
  /**
   * True when a system scope covers read and search of *every* record of the type (`.read`, `.rs`, wildcards where allowed). Whoever asks
   * this is safe without knowing of granular scopes; whoever can apply a query asks `readable`.
   */
  readonly canRead: (type: string) => boolean
  /** What of the type the scopes let read, granular ones included. */
  readonly readable: (type: string) => Readable
  /** True when a system scope covers create, update and delete of the type (`.write`, `.cud`). */
  readonly canWrite: (type: string) => boolean
  /** Why granular scopes of the token do not count, a sentence each: an outside issuer may grant what cannot be applied here. */
  readonly unusable: readonly string[]
}

/** How many unusable scopes a refusal explains: each names what is allowed. */
const unusableSaidMax = 5

/** The refusal of a caller who may read nothing of the types. */
export function lacksRead(grant: Grant, types: readonly string[]): Problem {
  const [type] = types
  const text =
    types.length === 1
      ? `The token lacks the scope system/${type}.read.`
      : 'The token lacks system read scopes for requested types.'
  const missing = `Missing: ${types.map((name) => `system/${name}.read`).join(' ')}`
  return problem(403, 'forbidden', text, {
    diagnostics: [missing, ...grant.unusable.slice(0, unusableSaidMax)].join('. '),
  })
}
