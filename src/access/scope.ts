import { isTypeName } from '../fhir/reference.ts'
import { quoted } from '../protocol/client-text.ts'
import { type Grant, type GrantedQuery, isNamedOnly } from '../protocol/grant.ts'
import { readScopeQuery, type UnusableQuery } from '../protocol/request/scope-query.ts'

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

/** The letters that a set of scopes without queries holds for a type, `*` meaning every type; v1, v2 and factored forms are equal (B22). */
export function lettersFor(scopes: readonly Scope[], type: string): ReadonlySet<string> {
  return new Set(
    scopes
      .filter((scope) => scope.type === type || (scope.type === '*' && !isNamedOnly(type)))
      .flatMap(({ letters }) => [...letters]),
  )
}

/** The letters that a granular scope has: a query narrows reading and nothing else. */
export const granularLetters = 'rs'

/** The query of a granular scope, or why it cannot be applied, as a clause. The scope has a query. */
export function queryOf({ type, letters, query = '' }: Scope): GrantedQuery | UnusableQuery {
  if (letters !== granularLetters) return { reason: `a query goes with the letters ${granularLetters} only` }
  return readScopeQuery(type, query)
}

/**
 * What a token's scopes allow (§10). Read means both `r` and `s`; write means `c`, `u` and `d`.
 * `user/` and `patient/` scopes never count. Wildcard types count only where the profile allows them (D26). Granular scopes let read the
 * records that meet the query of one of them, unless another scope covers the whole type; one that cannot be applied does not count.
 */
export function grantOf(
  tenant: string,
  client: string,
  scopes: readonly string[],
  options: { readonly wildcards: boolean },
): Grant {
  const system = scopes.map(parseScope).filter((scope) => scope?.context === 'system') as Scope[]
  const whole = system.filter(({ type, query }) => query === undefined && (type !== '*' || options.wildcards))
  const can = (letters: string) => (type: string) => {
    const held = lettersFor(whole, type)
    return [...letters].every((letter) => held.has(letter))
  }
  const canRead = can(granularLetters)
  const { queries, unusable } = granularQueries(system.filter(({ query }) => query !== undefined))
  return {
    tenant,
    client,
    scopes,
    system: system.length > 0,
    canRead,
    readable: (type) => (canRead(type) ? 'all' : (queries.get(type) ?? 'none')),
    canWrite: can('cud'),
    unusable,
  }
}

function granularQueries(scopes: readonly Scope[]) {
  const queries = new Map<string, GrantedQuery[]>()
  const unusable: string[] = []
  for (const scope of scopes) {
    const query = queryOf(scope)
    if ('reason' in query) {
      const text = `system/${scope.type}.${scope.letters}?${scope.query}`
      unusable.push(`The scope ${quoted(text)} cannot be applied: ${query.reason}`)
    } else if (queries.has(scope.type)) queries.get(scope.type)!.push(query)
    else queries.set(scope.type, [query])
  }
  return { queries, unusable }
}
