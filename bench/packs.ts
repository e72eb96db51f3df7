import { millrace, run } from './program.ts'
import { type BenchStore, tenant } from './store.ts'

/** Packs everything that has changed. */
export async function pack({ environment }: BenchStore, signal: AbortSignal): Promise<void> {
  await run(millrace, ['pack', '--tenant', tenant], { environment, signal })
}

/** Packs everything anew, in a store that an earlier run has left cold. */
export async function rebuildPacks({ environment }: BenchStore, signal: AbortSignal): Promise<void> {
  await run(millrace, ['pack', '--tenant', tenant, '--rebuild'], { environment, signal })
}

/** Removes all packs. Nothing has changed, so nobody packs again what is still the same. */
export async function unpack({ pool }: BenchStore): Promise<void> {
  await pool.query('delete from millrace.pack')
}
