import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Failure } from '../../failure.ts'
import type { Binaries } from './binaries.ts'
import { commandEnvironment } from './command-environment.ts'
import type { DataDirectory, Owner } from './data-directory.ts'

/** Who PostgreSQL runs as: PostgreSQL refuses root, and containers and CI run as root. */
export interface Identity {
  /** Command that comes before PostgreSQL's own. */
  readonly prefix: readonly string[]
  /** The user to become, when it is not the user of this program. */
  readonly user?: Owner
}

const nobody: Owner = { uid: 65534, gid: 65534 }

/**
 * The first identity under which PostgreSQL runs and reaches the data directory.
 * @throws Failure when there is none.
 */
export function chooseIdentity(binaries: Binaries, place: DataDirectory): Identity {
  const refusals: string[] = []
  for (const identity of candidates(place)) {
    if (identity.user !== undefined && place.owner.uid === 0) chmodSync(place.root, 0o711)
    const refusal = tryIdentity(identity, binaries, place)
    if (refusal === undefined) return identity
    refusals.push(refusal)
  }
  throw new Failure(
    `The embedded PostgreSQL cannot run here: ${refusals.join('; ')}.`,
    'Start Millrace as an ordinary user that can read its installation and its data directory, ' +
      'or point --database-url (MILLRACE_DATABASE_URL) at a PostgreSQL of your own.',
  )
}

function candidates(place: DataDirectory): readonly Identity[] {
  if (process.geteuid?.() !== 0) return hasAccount() ? [{ prefix: [] }] : [...mapped(), { prefix: [] }]
  const owner = clusterOwner(place)
  if (owner.uid !== 0) return [{ prefix: [], user: owner }]
  return [...mapped(), { prefix: [], user: nobody }]
}

/** Who owns the cluster, or the data directory while there is none. */
function clusterOwner(place: DataDirectory): Owner {
  return statSync(place.cluster, { throwIfNoEntry: false }) ?? place.owner
}

/**
 * A user namespace in which our own user has the number of some ordinary account: nothing needs a new owner.
 * initdb insists that its user has an account, so the number is taken from those that have one.
 */
function mapped(): readonly Identity[] {
  if (process.platform !== 'linux') return []
  const account = accounts().find((uid) => uid > 0)
  if (account === undefined) return []
  return [{ prefix: ['unshare', '--user', `--map-user=${account}`, `--map-group=${account}`] }]
}

function accounts(): readonly number[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  return lines.map((line) => Number(line.split(':')[2])).filter(Number.isSafeInteger)
}

function hasAccount(): boolean {
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

function tryIdentity(identity: Identity, binaries: Binaries, place: DataDirectory): string | undefined {
  const trial = ['sh', '-c', '"$1" --version && cd "$2"', 'sh', binaries.postgres, place.root]
  const [command = 'sh', ...rest] = [...identity.prefix, ...trial]
  const { status, stderr, error } = spawnSync(command, rest, {
    ...spawnIdentity(identity),
    cwd: '/',
    env: commandEnvironment,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim().split('\n')[0] || `${command} ended with ${status}`)
}

/** The options of `spawn` for an identity. */
export function spawnIdentity({ user }: Identity): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid }
}

/** Gives a path with all it contains to the identity, when the identity is another user than ours. */
export function giveToIdentity({ user }: Identity, path: string): void {
  if (user === undefined || statSync(path).uid === user.uid) return
  execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, path], { env: commandEnvironment })
}
