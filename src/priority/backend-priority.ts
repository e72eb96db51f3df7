import { setPriority } from 'node:os'
import type { Pool } from 'pg'
import { niceness } from './thread-priority.ts'

/**
 * Lets the processes of the database that serve other pools go before those that serve this one. Only for a database on this machine, whose
 * processes belong to whoever runs this program or to somebody whom it may order about; otherwise all stay equal.
 */
export function lowerBackends(pool: Pool): void {
  pool.on('connect', (client) => {
    const { processID } = client as { readonly processID?: number }
    if (!processID) return
    try {
      setPriority(processID, niceness.backend)
    } catch {
      // The process is somebody else's, or has ended.
    }
  })
}
