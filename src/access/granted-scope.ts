import { isNamedOnly } from '../protocol/grant.ts'
import { granularLetters, lettersFor, parseScope, queryOf, type Scope } from './scope.ts'

/** A scope that was asked for and not granted. */
export interface RefusedScope {
  readonly scope: string
  readonly reason: string
}

/**
 * How often a query that is asked for is put together with one that is registered, in one request: each time takes the reading of a query,
 * and of both there may be hundreds.
 */
export const combinationsMax = 1_000

/** The outcome of a token request's scopes: what the token holds, in the order asked, and what it lacks. */
export interface ScopeDecision {
  readonly granted: readonly string[]
  readonly refused: readonly RefusedScope[]
}

/**
 * The scopes asked for, cut down to the registered ones (B14, B18). A registered wildcard covers every type; a scope
 * asked for in v1 form is granted in v1 form where one exists. A wildcard asked for where only some types are
 * registered gives those types. Wildcards are granted only where the profile allows them (D26).
 *
 * Granular scopes: where only some of a type is registered, a scope on all of it gives the registered granular ones, and a granular one
 * gives what it has in common with each of them, which is the query of both.
 */
export function decideScopes(
  requested: readonly string[],
  registered: readonly string[],
  options: { readonly wildcards: boolean },
): ScopeDecision {
  const system = registered.map(parseScope).filter((scope) => scope?.context === 'system') as Scope[]
  const held: Held = {
    whole: system.filter(({ query }) => query === undefined),
    granular: system.filter((scope) => scope.query !== undefined && !('reason' in queryOf(scope))),
  }
  const granted = new Set<string>()
  const refused: RefusedScope[] = []
  let combinations = 0
  for (const text of new Set(requested)) {
    const isGranular = text.includes('?')
    if (isGranular) combinations += held.granular.length
    const isTooMany = isGranular && combinations > combinationsMax
    const outcome = isTooMany ? tooMany : decide(text, held, options.wildcards)
    if (typeof outcome === 'string') refused.push({ scope: text, reason: outcome })
    else for (const scope of outcome) granted.add(scope)
  }
  return { granted: [...granted], refused }
}

const tooMany = 'too many scopes with queries are asked for at once'

/** The registered scopes: those without a query, and those with one that can be applied. */
interface Held {
  readonly whole: readonly Scope[]
  readonly granular: readonly Scope[]
}

function decide(text: string, held: Held, wildcards: boolean): readonly string[] | string {
  const scope = parseScope(text)
  if (!scope) return text.includes(',') ? 'scopes are separated by blanks, not commas' : 'not a SMART resource scope'
  if (scope.context !== 'system') return 'only system/ scopes are granted to client_credentials'
  const query = scope.query === undefined ? undefined : queryOf(scope)
  if (query !== undefined && 'reason' in query) return `the scope cannot be applied: ${query.reason}`
  if (scope.type === '*' && !wildcards) return 'wildcard types are not granted to this tenant, name each type'
  const granted = scope.query === undefined ? wholeOf(scope, held) : granularOf(scope, held)
  return granted.length === 0 ? 'the client is not registered for it' : granted
}

/** What is held of a scope without a query. */
function wholeOf(scope: Scope, held: Held): string[] {
  const whole = covered(scope, lettersFor(held.whole, scope.type))
  if (scope.type === '*') {
    const named = [...held.whole, ...held.granular].map(({ type }) => type)
    const types = new Set(named.filter((type) => type !== '*' && !isNamedOnly(type)))
    const already = (type: string) => whole?.replace('/*.', `/${type}.`)
    const parts = [...types].flatMap((type) =>
      wholeOf({ ...scope, type }, held).filter((part) => part !== already(type)),
    )
    return [...(whole === undefined ? [] : [whole]), ...parts]
  }
  const more = readsAll(scope.letters) && !readsWhole(scope.type, held)
  const granular = more ? held.granular.filter(({ type }) => type === scope.type).map(scopeText) : []
  return [...(whole === undefined ? [] : [whole]), ...granular]
}

/** What a granular scope has in common with what is held. */
function granularOf(scope: Scope, held: Held): string[] {
  if (readsWhole(scope.type, held)) return [scopeText(scope)]
  const asked = scope.query!.split('&')
  return held.granular
    .filter(({ type }) => type === scope.type)
    .map(({ query }) => [...asked, ...query!.split('&').filter((part) => !asked.includes(part))])
    .map((parts): Scope => ({ ...scope, query: parts.join('&') }))
    .filter((common) => !('reason' in queryOf(common)))
    .map(scopeText)
}

const readsWhole = (type: string, held: Held): boolean => readsAll([...lettersFor(held.whole, type)].join(''))
const readsAll = (letters: string): boolean => [...granularLetters].every((letter) => letters.includes(letter))
const scopeText = ({ type, letters, query }: Scope): string => `system/${type}.${letters}?${query}`

function covered(scope: Scope, held: ReadonlySet<string>): string | undefined {
  const letters = [...scope.letters].filter((letter) => held.has(letter)).join('')
  if (letters === '') return undefined
  const permission = (scope.version === 1 ? v1Of[letters] : undefined) ?? letters
  return `system/${scope.type}.${permission}`
}

const v1Of: Readonly<Record<string, string>> = { rs: 'read', cud: 'write', cruds: '*' }
