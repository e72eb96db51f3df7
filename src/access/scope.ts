import type { Grant } from '../export/grant.ts'
import { isTypeName } from '../fhir/reference.ts'

/** A SMART scope on resources, v1 or v2 (B21). `letters` is a subset of `cruds`, in that order. */
export interface Scope {
  readonly context: 'system' | 'user' | 'patient'
  /** A resource type, or `*` for every type. */
  readonly type: string
  readonly letters: string
  readonly version: 1 | 2
  /** The text behind `?` of a v2 scope that narrows the type by a search. */
  readonly query: string | undefined
}

const scopePattern = /^(system|user|patient)\/([A-Za-z]{1,64}|\*)\.(read|write|\*|c?r?u?d?s?)(?:\?(.*))?$/s
const lettersOfV1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }

/** Reads one scope; undefined when it is not a scope on resources (`openid`, a misspelling, letters out of order). */
export function parseScope(text: string): Scope | undefined {
  const match = scopePattern.exec(text)
  if (!match) return undefined
  const [, context, type, permission, query] = match as unknown as [string, Scope['context'], string, string, string?]
  if (permission === '' || (type !== '*' && !isTypeName(type))) return undefined
  const v1 = lettersOfV1[permission]
  if (v1 !== undefined && query !== undefined) return undefined
  return { context, type, letters: v1 ?? permission, version: v1 === undefined ? 2 : 1, query }
}

/** The scopes of a blank-separated list, as text. */
export const scopeList = (text: string): readonly string[] => text.split(/[ \t\r\n]+/).filter((item) => item !== '')

/** The letters that a set of scopes holds for a type, `*` meaning every type; v1, v2 and factored forms are equal (B22). */
export function lettersFor(scopes: readonly Scope[], type: string): ReadonlySet<string> {
  return new Set(
    scopes.filter((scope) => scope.type === '*' || scope.type === type).flatMap(({ letters }) => [...letters]),
  )
}

/**
 * What a token's scopes allow (§10). Read means both `r` and `s`; write means `c`, `u` and `d`.
 * `user/` and `patient/` scopes, and scopes with a query, never count. Wildcard types count only where the profile
 * allows them (D26).
 */
export function grantOf(
  tenant: string,
  client: string,
  scopes: readonly string[],
  options: { readonly wildcards: boolean },
): Grant {
  const system = scopes.map(parseScope).filter((scope) => scope?.context === 'system') as Scope[]
  const counted = system.filter(({ type, query }) => query === undefined && (type !== '*' || options.wildcards))
  const can = (letters: string) => (type: string) => {
    const held = lettersFor(counted, type)
    return [...letters].every((letter) => held.has(letter))
  }
  return { tenant, client, system: system.length > 0, canRead: can('rs'), canWrite: can('cud') }
}
