/** The chain of what concerns the store and not one tenant, or a tenant that there is not. */
export const storeChain = ''

/**
 * What happened. `export` is the end of an export; `link` the answer of the file route, `download` the sending of a file's bytes;
 * `access` a request that was refused because of its token; `gap` refusals that were counted only: more of a kind than are kept, or of somebody who asked too often.
 */
export type AuditKind =
  | 'token'
  | 'access'
  | 'kick-off'
  | 'export'
  | 'link'
  | 'download'
  | 'delete'
  | 'expiry'
  | 'read'
  | 'write'
  | 'load'
  | 'audit'
  | 'administration'
  | 'gap'

/**
 * Who did it: a client by its id, as its token or its registration proves; `stranger`, an id that was claimed and not proven, or none; the
 * administrator of the HTTP API; the operator at the command line by the name of the account; or the server itself.
 */
export interface AuditAgent {
  readonly kind: 'client' | 'stranger' | 'administrator' | 'operator' | 'server'
  readonly id?: string
}

/**
 * One event of the audit trail. It holds names and numbers, never a token, a secret or what a record says. `tenant` names the chain.
 * The end of exports is written in SQL by `src/jobs/audited-ending.ts`, in the same shape.
 */
export interface AuditEntry {
  readonly tenant: string
  readonly kind: AuditKind
  /** `refused`: the caller was not let; `failed`: it was the server's fault, or the connection broke. */
  readonly outcome: 'success' | 'refused' | 'failed'
  readonly agent: AuditAgent
  /** The network address of the caller, or the name of the machine of a command. */
  readonly address?: string
  /** The `X-Request-Id` of the answer. */
  readonly request?: string
  /** What it was about, as `Type/id`: records, and `Job/…`, `File/…`, `Client/…`, `Tenant/…`. */
  readonly subjects?: readonly string[]
  /** The ids of the patients of an export. */
  readonly patients?: readonly string[]
  /** Why it was refused or failed, in our words. */
  readonly reason?: string
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** An entry as it stands in the trail. `number` counts from 1 in the chain. */
export interface StoredEntry extends AuditEntry {
  readonly number: number
  readonly recorded: Date
}
