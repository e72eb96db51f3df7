import { lettersFor, parseScope, type Scope } from './scope.ts'

/** A scope that was asked for and not granted. */
export interface RefusedScope {
  readonly scope: string
  readonly reason: string
}

/** The outcome of a token request's scopes: what the token holds, in the order asked, and what it lacks. */
export interface ScopeDecision {
  readonly granted: readonly string[]
  readonly refused: readonly RefusedScope[]
}

/**
 * The scopes asked for, cut down to the registered ones (B14, B18). A registered wildcard covers every type; a scope
 * asked for in v1 form is granted in v1 form where one exists. A wildcard asked for where only some types are
 * registered gives those types. Wildcards are granted only where the profile allows them (D26).
 */
export function decideScopes(
  requested: readonly string[],
  registered: readonly string[],
  options: { readonly wildcards: boolean },
): ScopeDecision {
  const held = registered.map(parseScope).filter((scope) => scope?.context === 'system') as Scope[]
  const granted = new Set<string>()
  const refused: RefusedScope[] = []
  for (const text of new Set(requested)) {
    const outcome = decide(text, held, options.wildcards)
    if (typeof outcome === 'string') refused.push({ scope: text, reason: outcome })
    else for (const scope of outcome) granted.add(scope)
  }
  return { granted: [...granted], refused }
}

function decide(text: string, held: readonly Scope[], wildcards: boolean): readonly string[] | string {
  const scope = parseScope(text)
  if (!scope) return text.includes(',') ? 'scopes are separated by blanks, not commas' : 'not a SMART resource scope'
  if (scope.context !== 'system') return 'only system/ scopes are granted to client_credentials'
  if (scope.query !== undefined) return 'scopes with a search query are not supported'
  if (scope.type === '*' && !wildcards) return 'wildcard types are not granted to this tenant, name each type'
  const whole = covered(scope, lettersFor(held, scope.type))
  const parts = scope.type === '*' && whole !== text ? partsOf(scope, held, whole) : []
  const granted = [...(whole === undefined ? [] : [whole]), ...parts]
  return granted.length === 0 ? 'the client is not registered for it' : granted
}

/** The types that hold more of a wildcard than the registered wildcards do. */
function partsOf(scope: Scope, held: readonly Scope[], whole: string | undefined): string[] {
  const types = new Set(held.map(({ type }) => type).filter((type) => type !== '*'))
  return [...types].flatMap((type) => {
    const part = covered({ ...scope, type }, lettersFor(held, type))
    const already = whole?.replace('/*.', `/${type}.`)
    return part === undefined || part === already ? [] : [part]
  })
}

function covered(scope: Scope, held: ReadonlySet<string>): string | undefined {
  const letters = [...scope.letters].filter((letter) => held.has(letter)).join('')
  if (letters === '') return undefined
  const permission = (scope.version === 1 ? v1Of[letters] : undefined) ?? letters
  return `system/${scope.type}.${permission}`
}

const v1Of: Readonly<Record<string, string>> = { rs: 'read', cud: 'write', cruds: '*' }
