import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { commandEnvironment } from './command-environment.ts'
import type { DataDirectory } from './data-directory.ts'
import { type Hold, takeFirstHold } from './hold.ts'
import { type Identity, spawnIdentity } from './identity.ts'
import { openServerLog } from './server-log.ts'

/**
 * How long a server may take to stop after each signal, in tenths of a second: SIGINT lets it write what it has, SIGQUIT makes it drop
 * everything and kill what does not end within 5 s, SIGKILL cannot be refused. One that gets SIGINT while it recovers from the
 * death of one of its processes never ends by it. Whatever was committed is in its log, so the harder signals lose nothing.
 */
const fastTenthsMax = 200
const immediateTenthsMax = 100
/** The longest that a supervisor takes to end a server that takes signals. */
export const endingMsMax = (fastTenthsMax + immediateTenthsMax) * 100

/** A supervisor just started, and this program's hold on it. */
export interface Supervision {
  readonly hold: Hold
  /** True once the supervisor's first process has ended: the server it started has ended, or could not start. */
  ended(): boolean
}

/**
 * Arguments: the server's pid file, the process id of a running server or nothing, the command that starts one.
 *
 * The first shell is the server's parent and waits for it, so that a dead server does not stay as a zombie.
 * The second reads the FIFO: it ends when the server has ended (each line read makes it look), and stops the server
 * when the last writer has closed. It stops reading before it stops the server, so nobody can mistake the server for held,
 * and it only signals the process that the pid file names, so a recycled number cannot be hit. PostgreSQL writes the
 * pid file once it can take the signal, hence the first loop.
 */
const script = `
trap '' HUP INT TERM
exec 3<&0 </dev/null
pid_file=$1 pid=$2
shift 2
if [ -z "$pid" ]; then "$@" 3<&- & pid=$!; fi
(
  while read -r line <&3 && kill -0 "$pid"; do :; done
  exec 3<&-
  named() { read -r running <"$pid_file" && [ "$running" = "$pid" ] && kill -0 "$pid"; }
  tries=600
  while [ "$tries" -gt 0 ] && kill -0 "$pid" && ! named; do tries=$((tries - 1)); sleep 0.1; done
  for step in INT:${fastTenthsMax} QUIT:${immediateTenthsMax} KILL:0; do
    named || break
    kill -s "\${step%%:*}" "$pid"
    tries=\${step#*:}
    while [ "$tries" -gt 0 ] && named; do tries=$((tries - 1)); sleep 0.1; done
  done
) 2>/dev/null &
exec 3<&-
wait "$pid"
`

/** Starts a server under a new supervisor. The supervisor is a session of its own: Ctrl-C does not reach it. */
export function startServer(
  place: DataDirectory,
  identity: Identity,
  command: readonly string[],
  stalePid: number | undefined,
): Supervision {
  // PostgreSQL treats a lock file with the number of its grandparent as stale. That is true here of this number.
  const pardon = stalePid === undefined ? {} : { PG_GRANDPARENT_PID: String(stalePid) }
  return supervise(place, identity, ['', ...identity.prefix, ...command], pardon)
}

/** Starts a supervisor for a server that has lost its own. */
export function adoptServer(place: DataDirectory, pid: number): Supervision {
  return supervise(place, { prefix: [] }, [String(pid)], {})
}

function supervise(
  place: DataDirectory,
  identity: Identity,
  command: readonly string[],
  pardon: Readonly<Record<string, string>>,
): Supervision {
  const log = openServerLog(place)
  const { hold, readEnd } = takeFirstHold(place.hold)
  try {
    let ended = false
    const shell = spawn('sh', ['-c', script, 'millrace-supervisor', place.pidFile, ...command], {
      ...spawnIdentity(identity),
      cwd: '/',
      env: { ...commandEnvironment, ...pardon },
      detached: true,
      stdio: [readEnd, log, log],
    })
    const end = () => {
      ended = true
    }
    shell.once('exit', end).once('error', end).unref()
    return { hold, ended: () => ended }
  } finally {
    closeSync(readEnd)
    closeSync(log)
  }
}
