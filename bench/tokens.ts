import type { TokenSource } from '../src/client/session/session.ts'
import { type Credentials, tokenSource } from '../src/client/session/token-source.ts'

/** A token that is handed to a session has at least so long to live: hardly ever is one renewed inside a measure. */
const lifeSecondsMin = 150

/** Asks for tokens of one client before they are needed, so that asking is no part of a measure. */
export function earlyTokens(base: string, credentials: Credentials, signal: AbortSignal): TokenSource {
  const source = tokenSource(base, [], credentials, signal)
  let token = ''
  let expiresMs = 0
  return async () => {
    if (expiresMs - performance.now() < lifeSecondsMin * 1000) {
      const askedMs = performance.now()
      const granted = await source()
      token = granted.accessToken
      expiresMs = askedMs + granted.expiresIn * 1000
    }
    return { accessToken: token, expiresIn: (expiresMs - performance.now()) / 1000 }
  }
}
