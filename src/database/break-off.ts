import type { Duplex } from 'node:stream'
import type { ClientBase } from 'pg'

/**
 * Ends a connection at once, whatever it waits for. The driver has no other way while an answer is awaited or it connects; it tells its
 * user, and the pool, by itself.
 */
export function breakOff(client: ClientBase): void {
  ;(client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy()
}
