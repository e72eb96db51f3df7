import { chmodSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Failure } from '../../failure.ts'
import type { DatabaseLog } from '../event.ts'
import { attach, type Surroundings } from './attach.ts'
import { findBinaries } from './binaries.ts'
import { createCluster, hasCluster } from './cluster.ts'
import { type DataDirectory, prepareDataDirectory } from './data-directory.ts'
import { takeHold } from './hold.ts'
import { chooseIdentity, giveToIdentity } from './identity.ts'
import { keep } from './keeper.ts'
import { runningPostmaster, stalePid } from './postmaster.ts'
import type { EmbeddedConnection } from './probe.ts'
import { boundServerLog } from './server-log.ts'
import { serverArguments } from './server-settings.ts'
import { prepareSocketDirectory } from './socket-directory.ts'
import { startServer } from './supervisor.ts'

/** The embedded PostgreSQL of a data directory, held by this program. */
export interface EmbeddedServer {
  readonly connection: EmbeddedConnection
  /** Resolves when the server died and could not be brought back; stays pending otherwise. */
  readonly lost: Promise<Failure>
  /** Lets go. The last program to do so stops the server, and this waits until it has stopped. */
  release(): Promise<void>
}

/** How long a released hold is watched to learn whether it was the last one. */
const otherHoldersMsMax = 250
const stopMsMax = 60_000
const pollMs = 10

/**
 * Starts the embedded PostgreSQL of a data directory, or attaches to it when another program has started it.
 * It runs as long as any program holds it and ends with the last one, also when that one is killed.
 * When the server dies, it is brought back.
 * @throws Failure when it cannot run here or does not come up.
 */
export async function startEmbedded(directory: string, log: DatabaseLog): Promise<EmbeddedServer> {
  const began = performance.now()
  const place = prepareDataDirectory(directory)
  if (!hasCluster(place)) await create(place, log)
  boundServerLog(place)
  const connection = connectionOf(prepareSocketDirectory(place))
  const closing = new AbortController()
  const surroundings: Surroundings = {
    place,
    connection,
    start: () => start(place, connection.host, log),
    adopting: (pid) => log({ event: 'database-adopting', directory: place.root, pid }),
    ending: (pid, signal) => log({ event: 'database-ending', directory: place.root, pid, signal }),
    waiting: (reason, ms) => log({ event: 'database-waiting', directory: place.root, reason, ms: Math.round(ms) }),
    signal: closing.signal,
  }
  const keeper = keep(place, await attach(surroundings), () => attach(surroundings), log)
  log({ event: 'database-ready', directory: place.root, ms: Math.round(performance.now() - began) })
  return {
    connection,
    lost: keeper.lost,
    release: async () => {
      closing.abort()
      await keeper.release()
      await lastOneOut(place)
    },
  }
}

function connectionOf(host: string): EmbeddedConnection {
  return { host, port: 5432, user: 'millrace', database: 'millrace' }
}

async function create(place: DataDirectory, log: DatabaseLog): Promise<void> {
  log({ event: 'database-creating', directory: place.root })
  const binaries = findBinaries()
  await createCluster(place, binaries, chooseIdentity(binaries, place))
}

function start(place: DataDirectory, socketDirectory: string, log: DatabaseLog) {
  log({ event: 'database-starting', directory: place.root })
  const binaries = findBinaries()
  const identity = chooseIdentity(binaries, place)
  giveToIdentity(identity, place.cluster)
  giveToIdentity(identity, socketDirectory)
  // A data directory that was copied back from a backup often has lost its mode, and PostgreSQL refuses an open one.
  chmodSync(place.cluster, 0o700)
  const command = [binaries.postgres, ...serverArguments(place.cluster, socketDirectory)]
  return startServer(place, identity, command, stalePid(place, socketDirectory))
}

/** Waits for the server's end if nobody else holds it. */
async function lastOneOut(place: DataDirectory): Promise<void> {
  const released = performance.now()
  while (isHeld(place)) {
    if (performance.now() - released > otherHoldersMsMax) return
    await sleep(pollMs)
  }
  while (runningPostmaster(place) !== undefined && !isHeld(place)) {
    if (performance.now() - released > stopMsMax) return
    await sleep(pollMs)
  }
}

/** Whether a supervisor reads. It goes on while others hold the server, and stops soon after the last hold is gone. */
function isHeld(place: DataDirectory): boolean {
  const hold = takeHold(place.hold)
  hold?.release()
  return hold !== undefined
}
