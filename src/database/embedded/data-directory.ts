import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../failure.ts'
import { errorReason } from '../error-code.ts'
import { commandEnvironment } from './command-environment.ts'

/** The places inside a data directory. All paths are absolute and free of symbolic links. */
export interface DataDirectory {
  readonly root: string
  /** PGDATA. */
  readonly cluster: string
  /** PostgreSQL's lock file; its first line is the process id of the server. */
  readonly pidFile: string
  readonly log: string
  /** FIFO: every program that uses the database keeps a write end open, the supervisor reads. */
  readonly hold: string
  /** Who owns the data directory; what root makes inside it is given to the owner. */
  readonly owner: Owner
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Where the database lies in a data directory. */
export const clusterFolder = 'postgres'

/** The permissions to write of the group and of everybody. */
const othersWrite = 0o022

/** Who may write in the directory can put a database of his own in the place of the store's, with keys that he knows. */
const openToOthers = (root: string, mode: number): Failure =>
  new Failure(
    `Others can write to the data directory ${root} (mode ${(mode & 0o7777).toString(8).padStart(4, '0')}).`,
    `Take that away (chmod go-w ${root}), or name a directory inside it, which is made for this user alone: --data ${join(root, 'millrace')}.`,
  )

/**
 * Makes the data directory (0700) and the FIFO inside it, if they are missing.
 * @throws Failure when the directory cannot be made or used, or others can write to it.
 */
export function prepareDataDirectory(directory: string): DataDirectory {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const root = realpathSync(directory)
    const { uid, gid, mode } = statSync(root)
    if ((mode & othersWrite) !== 0) throw openToOthers(root, mode)
    const cluster = join(root, clusterFolder)
    const place = {
      root,
      cluster,
      pidFile: join(cluster, 'postmaster.pid'),
      log: join(root, 'postgres.log'),
      hold: join(root, 'hold'),
      owner: { uid, gid },
    }
    prepareFifo(place)
    return place
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(
      `The data directory ${directory} cannot be used: ${errorReason(error)}.`,
      'Give a directory on a local disk that this user may write to (--data), or use --database-url.',
      { cause: error },
    )
  }
}

function prepareFifo({ hold, owner }: DataDirectory): void {
  const found = lstatSync(hold, { throwIfNoEntry: false })
  if (found === undefined) {
    makeFifo(hold)
    giveTo(owner, hold)
  } else if (!found.isFIFO()) {
    throw new Failure(`${hold} is in the way: it is not a FIFO.`, 'Move it away.')
  }
}

function makeFifo(path: string): void {
  try {
    execFileSync('mkfifo', ['-m', '600', path], { env: commandEnvironment, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    // Another program that starts at the same time may have made it.
    if (!lstatSync(path, { throwIfNoEntry: false })?.isFIFO()) throw error
  }
}

/** What root makes in somebody else's data directory belongs to the owner, who may start without root next time. */
export function giveTo(owner: Owner, path: string): void {
  if (process.geteuid?.() === 0 && owner.uid !== 0) chownSync(path, owner.uid, owner.gid)
}
