import type { QueueBounds } from '../fair-queue.ts'

/**
 * Pieces of files that are inflated at a time, for clients that do not take gzip: Node has four threads for that and for files, names and
 * secrets, of which two are left for the others. One tenant leaves room for another one. Of what waits nothing is in memory but an open file.
 */
export const inflatingBounds: QueueBounds = {
  runningMax: 2,
  runningOfTenantMax: 1,
  runningOfClientMax: 1,
  waitingMax: 4_000,
  waitingOfTenantMax: 2_000,
  waitingOfClientMax: 1_000,
}
