import type { QueueBounds } from '../fair-queue.ts'

/**
 * Writes at a time; each at work has a connection to the database. Two tenants can always write beside one that writes as much as it can,
 * and so can two clients beside one.
 */
export const writeBounds = {
  runningMax: 8,
  runningOfTenantMax: 6,
  runningOfClientMax: 4,
  waitingMax: 400,
  waitingOfTenantMax: 200,
  waitingOfClientMax: 40,
} as const satisfies QueueBounds
