import type { Pool } from 'pg'
import type { AccessDirectory } from '../access/directory.ts'
import type { KeySets } from '../access/issuers/key-sets.ts'
import type { OutsideIssuers } from '../access/issuers/outside-issuers.ts'
import type { SecretChecks } from '../access/registry/client-secret.ts'
import type { TokenLimits } from '../access/tokens/token-limits.ts'
import type { AuditTrail } from '../audit/trail.ts'
import type { FileStore } from '../files/file-store.ts'
import type { Enqueue } from '../jobs/queue.ts'
import type { Readiness } from '../observation/readiness.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { FairQueue } from './fair-queue.ts'
import type { RequestCarrier } from './request-threads/request-thread-pool.ts'
import type { MetricsPage } from './watching/metrics-page.ts'

/** What the routes work with that may be carried out on another thread. */
export interface StoreContext {
  readonly pool: Pool
  /** Connections for writes alone, and who may take one. */
  readonly writes: { readonly pool: Pool; readonly queue: Pick<FairQueue, 'run'> }
  readonly enqueue: Enqueue
  readonly files: Pick<FileStore, 'lacksRoom'>
  readonly audit: Pick<AuditTrail, 'record' | 'note'>
  readonly meter: Meter
  /** Scheme, host and port that clients use, without a slash at the end. URLs are never built from `Host` (S-54). */
  readonly publicUrl: string
}

/** What the routes work with; `app.ts` makes it. */
export interface HttpContext extends StoreContext {
  readonly files: FileStore
  readonly directory: AccessDirectory
  readonly keySets: KeySets
  readonly outside: OutsideIssuers
  readonly secrets: SecretChecks
  readonly tokenLimits: TokenLimits
  /** The life of an access token. */
  readonly tokenSeconds: number
  readonly audit: AuditTrail
  readonly threads: RequestCarrier
  /** Whose file is inflated next, a piece at a time. */
  readonly inflating: Pick<FairQueue, 'run'>
  /** Signs and checks content links. */
  readonly contentSecret: Buffer
  /** Of the program. */
  readonly version: string
  readonly started: Date
  /** Whether the server takes requests, and why not. */
  readonly readiness: Pick<Readiness, 'look'>
  /** The page of metrics for whoever has the token; without, it is not on this port. */
  readonly metrics?: { readonly page: MetricsPage; readonly token: string }
}
