import type { Pool } from 'pg'
import { tokenSecondsDefault } from '../access/access-token.ts'
import { AuditTrail } from '../access/audit-trail.ts'
import { SecretChecks } from '../access/client-secret.ts'
import { AccessDirectory } from '../access/directory.ts'
import { KeySets } from '../access/key-sets.ts'
import { OutsideIssuers } from '../access/outside-issuers.ts'
import { TokenLimits } from '../access/token-limits.ts'
import type { FileStore } from '../files/file-store.ts'
import type { HttpContext } from './context.ts'

/** What a server in the test's own process works with. */
export function contextFor(
  given: { readonly pool: Pool; readonly files: FileStore; readonly contentSecret: Buffer },
  now: () => Date,
  publicUrl: string,
): HttpContext {
  const rules = { privateAddresses: false }
  const keySets = new KeySets(now, rules)
  return {
    ...given,
    directory: new AccessDirectory(given.pool, now),
    keySets,
    outside: new OutsideIssuers(given.pool, keySets, rules, now),
    secrets: new SecretChecks(),
    tokenLimits: new TokenLimits(now),
    audit: new AuditTrail(given.pool, () => {}),
    tokenSeconds: tokenSecondsDefault,
    enqueue: async () => {},
    publicUrl,
    version: '0',
    started: now(),
    ready: () => true,
  }
}
