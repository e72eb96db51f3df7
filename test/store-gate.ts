import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Database } from '../src/database/connection.ts'

/** A gate between a server and its database: a TCP port that leads to the embedded PostgreSQL, and can be shut. */
export interface StoreGate {
  /** For `--database-url`. */
  readonly url: string
  /** Cuts what is open; from now on connections are refused. */
  readonly shut: () => Promise<void>
  readonly open: () => Promise<void>
}

/** Makes an open gate to the database. */
export async function storeGate({ connection }: Pick<Database, 'connection'>): Promise<StoreGate> {
  const sockets = new Set<Socket>()
  const path = join(String(connection.host), '.s.PGSQL.5432')
  const accept = (near: Socket) => {
    const far = connect(path)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }
  const server = createServer(accept)
  let port = 0
  const open = async () => {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const shut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await open()
  return { url: `postgresql://${connection.user}@127.0.0.1:${port}/${connection.database}`, shut, open }
}
