import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../failure.ts'
import { errorCode, errorReason } from '../error-code.ts'
import { type DataDirectory, giveTo } from './data-directory.ts'

/** The kernel takes 107 bytes on Linux and 103 on macOS, with the name of the socket. */
const socketPathBytesMax = 100
const socketName = '.s.PGSQL.5432'
/** Not the temporary directory of the environment: all programs that share a database must find the same socket. */
const shortRoot = '/tmp'

/**
 * The directory of the server's socket: inside the data directory, or a short one when that path is too long.
 * Who can enter it can use the database, so it is 0700 and nobody else's.
 * @throws Failure when the directory is a link, somebody else's or open to others.
 */
export function prepareSocketDirectory(place: DataDirectory): string {
  const path = socketDirectoryOf(place)
  try {
    mkdirSync(path, { mode: 0o700 })
    giveTo(place.owner, path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw notMade(path, error)
  }
  const found = lstatSync(path)
  const owners = [process.geteuid?.(), place.owner.uid, lstatSync(place.cluster).uid]
  if (!found.isDirectory() || !owners.includes(found.uid) || (found.mode & 0o077) !== 0) {
    throw new Failure(
      `${path} is not a private directory of the user that owns the data directory.`,
      'Remove it, or choose a shorter data directory with --data.',
    )
  }
  return path
}

/** Where the socket directory is, as a function of the data directory alone. */
export function socketDirectoryOf({ root, owner }: Pick<DataDirectory, 'root' | 'owner'>): string {
  const inside = join(root, 'socket')
  if (Buffer.byteLength(join(inside, socketName)) <= socketPathBytesMax) return inside
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return join(shortRoot, `millrace-${owner.uid}-${hash}`)
}

function notMade(path: string, error: unknown): Failure {
  return new Failure(
    `The socket directory ${path} cannot be made: ${errorReason(error)}.`,
    'Choose another data directory with --data, or use --database-url.',
    { cause: error },
  )
}
