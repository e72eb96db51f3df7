import type { Pool } from 'pg'
import { AccessDirectory } from '../access/directory.ts'
import { KeySets } from '../access/issuers/key-sets.ts'
import { OutsideIssuers } from '../access/issuers/outside-issuers.ts'
import { SecretChecks } from '../access/registry/client-secret.ts'
import { tokenSecondsDefault } from '../access/tokens/access-token.ts'
import { TokenLimits } from '../access/tokens/token-limits.ts'
import { AuditTrail } from '../audit/trail.ts'
import type { FileStore } from '../files/file-store.ts'
import { noMeter } from '../telemetry/meter.ts'
import type { HttpContext } from './context.ts'
import { FairQueue } from './fair-queue.ts'
import { inflatingBounds } from './files/inflating-bounds.ts'
import { writeBounds } from './records/write-bounds.ts'

/** What a server in the test's own process works with. */
export function contextFor(
  given: { readonly pool: Pool; readonly files: FileStore; readonly contentSecret: Buffer },
  now: () => Date,
  publicUrl: string,
): HttpContext {
  const rules = { privateAddresses: false }
  const elapsed = () => performance.now()
  const keySets = new KeySets(elapsed, rules)
  return {
    ...given,
    writes: { pool: given.pool, queue: new FairQueue(writeBounds) },
    directory: new AccessDirectory(given.pool, elapsed),
    keySets,
    outside: new OutsideIssuers(given.pool, keySets, rules, now, elapsed),
    secrets: new SecretChecks(),
    tokenLimits: new TokenLimits(elapsed),
    audit: new AuditTrail(given.pool, () => {}),
    tokenSeconds: tokenSecondsDefault,
    enqueue: async () => {},
    inflating: new FairQueue(inflatingBounds),
    threads: { carry: () => Promise.reject(new Error('no other threads here')) },
    publicUrl,
    version: '0',
    started: now(),
    meter: noMeter,
    readiness: { look: async () => ({ ready: true, status: 'ok' }) },
  }
}
