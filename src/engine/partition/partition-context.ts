import type { Pool } from 'pg'
import type { FileStore } from '../../files/file-store.ts'

/** What an engine runs its partitions with. */
export interface PartitionContext {
  readonly pool: Pool
  readonly files: FileStore
  /** Told what had to be mended on the way. */
  readonly complain: (event: 'pack-refused', details: Record<string, unknown>) => void
}
