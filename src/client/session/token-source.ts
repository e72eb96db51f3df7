import type { JWK } from 'jose'
import type { TokenSource } from './session.ts'
import { readScopes, readSmartConfiguration, requestToken } from './token.ts'

/** Who asks for tokens, and for which scopes. */
export interface Credentials {
  readonly clientId: string
  readonly key: JWK
  /** Discovered under the base when undefined. */
  readonly tokenEndpoint?: string | undefined
  /** Blank-separated; chosen by `types` and by what the server offers when undefined. */
  readonly scope?: string | undefined
}

/**
 * Asks for tokens of one client. Not every server knows wildcards (Oracle has none): a list of types asks for just these,
 * `system/<Type>.read`; no list asks for `system/*.read` where the server advertises it, else for each type by name.
 */
export function tokenSource(base: string, types: readonly string[], by: Credentials, signal: AbortSignal): TokenSource {
  let tokenEndpoint = by.tokenEndpoint
  let scope = by.scope ?? (types.length > 0 ? types.map((type) => `system/${type}.read`).join(' ') : undefined)
  return async () => {
    if (tokenEndpoint === undefined) {
      const discovered = await readSmartConfiguration(base, signal)
      tokenEndpoint = discovered.tokenEndpoint
      scope ??= readScopes(discovered.scopesSupported)
    }
    return requestToken({ tokenEndpoint, clientId: by.clientId, key: by.key, scope: scope ?? readScopes([]), signal })
  }
}
