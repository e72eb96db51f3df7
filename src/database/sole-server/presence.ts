import { chownSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { errorCode } from '../error-code.ts'

/** Beside the database's socket, and no longer than its name. */
const socketName = 'serve'

/** A server's presence in its data directory, which ends with its process, however that ends. */
export interface Presence {
  close(): Promise<void>
}

/**
 * Listens at a socket that tells others that a server is here. What a killed one left behind is replaced: nobody answers there.
 * @param directory the private directory of the database's socket; the caller holds the lock that keeps others from doing the same
 * @returns undefined when another server is present
 */
export async function openPresence(directory: string): Promise<Presence | undefined> {
  const path = join(directory, socketName)
  if (await answers(path)) return undefined
  rmSync(path, { force: true })
  const server = await listen(path)
  // Root may serve somebody else's directory, whose owner must be able to ask here next time.
  const { uid, gid } = statSync(directory)
  if (process.geteuid?.() === 0 && uid !== 0) chownSync(path, uid, gid)
  return { close: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** A process that is only stopped (SIGSTOP) answers too: the kernel takes the connection for it. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const nobody = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errorCode(error) ?? '')
      // Full: so many ask that somebody must be there.
      if (nobody || errorCode(error) === 'EAGAIN') resolve(!nobody)
      else reject(error)
    })
  })
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy()).unref()
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}
