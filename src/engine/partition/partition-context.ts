import type { Pool } from 'pg'
import type { FileStore } from '../../files/file-store.ts'

/** What an engine runs its partitions with. */
export interface PartitionContext {
  readonly pool: Pool
  readonly files: FileStore
  /** Told what had to be mended on the way, or could not be. */
  readonly complain: (event: 'pack-refused' | 'files-mended' | 'files-lost', details: Record<string, unknown>) => void
}
