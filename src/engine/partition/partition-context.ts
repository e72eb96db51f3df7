import type { Span } from '@opentelemetry/api'
import type { Pool } from 'pg'
import type { FileStore } from '../../files/file-store.ts'
import type { Meter } from '../../telemetry/meter.ts'
import type { EngineLog } from '../engine-log.ts'

/** Waits while other work has the right of way; undefined when it has not. */
export type GiveWay = () => Promise<void> | undefined

/** What an engine runs its partitions with. */
export interface PartitionContext {
  readonly pool: Pool
  readonly files: FileStore
  readonly giveWay: GiveWay
  /** Told what an operator may want to know: how exports end, what had to be mended on the way, or could not be. */
  readonly tell: EngineLog
  readonly meter: Meter
  /** The partition in its trace. */
  readonly span?: Span
}
