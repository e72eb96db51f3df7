import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure } from '../../failure.ts'
import { errorCode, errorReason } from '../error-code.ts'
import type { Binaries } from './binaries.ts'
import { commandEnvironment } from './command-environment.ts'
import { clusterFolder, type DataDirectory } from './data-directory.ts'
import { giveToIdentity, type Identity, spawnIdentity } from './identity.ts'
import { isAlive } from './postmaster.ts'

const majorVersion = '18'
const draftPrefix = 'postgres.new-'
const draftAgeMsMax = 3_600_000
const initdbMsMax = 300_000
const run = promisify(execFile)

/**
 * Refuses a data directory without a cluster: nothing is made in it, and not it itself.
 * @throws Failure
 */
export function insistOnCluster(directory: string): void {
  try {
    statSync(join(directory, clusterFolder))
    return
  } catch (error) {
    // Who may not look into it is told so when it is opened.
    if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return
  }
  throw new Failure(
    `There is no store in ${directory}.`,
    'Name the right directory with --data (MILLRACE_DATA). A store is made by: bin/millrace tenant add, or serve.',
  )
}

/**
 * Whether the data directory already has a cluster.
 * @throws Failure when it was made by another major version of PostgreSQL.
 */
export function hasCluster({ cluster }: DataDirectory): boolean {
  const version = readVersion(cluster)
  if (version === undefined) return false
  if (version === majorVersion) return true
  throw new Failure(
    `${cluster} was made by PostgreSQL ${version}; this is PostgreSQL ${majorVersion}.`,
    'Dump it with the Millrace that made it and load the dump into an empty data directory.',
  )
}

function readVersion(cluster: string): string | undefined {
  try {
    return readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new Failure(
      `The database in ${cluster} cannot be read: ${errorReason(error)}.`,
      'Start Millrace as the user that made the data directory.',
      { cause: error },
    )
  }
}

/**
 * Makes the cluster beside its place and renames it: a cluster is there whole or not at all,
 * whatever kills us meanwhile, and of two that start at once one wins and the other uses the winner's.
 */
export async function createCluster(place: DataDirectory, binaries: Binaries, identity: Identity): Promise<void> {
  await removeDrafts(place)
  const draft = await mkdtemp(join(place.root, `${draftPrefix}${process.pid}-`))
  try {
    giveToIdentity(identity, draft)
    await initialise(draft, binaries, identity)
    await publish(draft, place)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function initialise(draft: string, binaries: Binaries, identity: Identity): Promise<void> {
  const choices = ['--username=millrace', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-instructions']
  const [command = '', ...rest] = [...identity.prefix, binaries.initdb, '-D', draft, ...choices]
  const options = { ...spawnIdentity(identity), cwd: '/', env: commandEnvironment, timeout: initdbMsMax }
  try {
    await run(command, rest, options)
  } catch (error) {
    const reason = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : errorReason(error)
    throw new Failure(
      `The embedded database could not be created: ${reason}`,
      'Mend the cause, or point --database-url (MILLRACE_DATABASE_URL) at a PostgreSQL of your own.',
      { cause: error },
    )
  }
}

async function publish(draft: string, place: DataDirectory): Promise<void> {
  try {
    await rename(draft, place.cluster)
  } catch (error) {
    const code = errorCode(error)
    if ((code === 'ENOTEMPTY' || code === 'EEXIST') && hasCluster(place)) return
    throw new Failure(
      `${place.cluster} is in the way: it is not a PostgreSQL data directory (${errorReason(error)}).`,
      'Move it away, or choose another data directory with --data.',
      { cause: error },
    )
  }
  await syncDirectory(place.root)
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Removes what runs that were killed half-way left behind; leaves alone what a living program is making. */
async function removeDrafts({ root }: DataDirectory): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(draftPrefix)) continue
    const path = join(root, name)
    const maker = Number.parseInt(name.slice(draftPrefix.length), 10)
    if (maker !== process.pid && isAlive(maker) && !(await isOld(path))) continue
    // An initdb that lost its program may still be dying in there: what is left is removed next time.
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
  }
}

async function isOld(path: string): Promise<boolean> {
  const { mtimeMs } = await stat(path)
  return Date.now() - mtimeMs > draftAgeMsMax
}
