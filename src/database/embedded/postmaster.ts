import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../error-code.ts'
import { commandEnvironment } from './command-environment.ts'
import type { DataDirectory } from './data-directory.ts'

/** The process id of the PostgreSQL server that runs in the cluster, or undefined when none does. */
export function runningPostmaster(place: DataDirectory): number | undefined {
  const pid = readPid(place.pidFile)
  return pid !== undefined && isServerOf(pid, place) ? pid : undefined
}

/**
 * A process id that a dead server left in one of its lock files. The number may be in use again by a stranger,
 * which is common in containers, and PostgreSQL would then refuse to start for ever.
 */
export function stalePid(place: DataDirectory, socketDirectory: string): number | undefined {
  const locks = [place.pidFile, join(socketDirectory, '.s.PGSQL.5432.lock')]
  return locks.map(readPid).find((pid) => pid !== undefined && !isServerOf(pid, place))
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return pid > 0 ? pid : undefined
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function isServerOf(pid: number, place: DataDirectory): boolean {
  if (!isAlive(pid)) return false
  return process.platform === 'linux' ? worksIn(pid, place.cluster) : isPostgres(pid)
}

/** A server's working directory is its cluster. Not so a stranger's with a recycled number, nor a zombie's. */
function worksIn(pid: number, cluster: string): boolean {
  try {
    const here = statSync(`/proc/${pid}/cwd`)
    const there = statSync(cluster)
    return here.dev === there.dev && here.ino === there.ino
  } catch {
    return false
  }
}

function isPostgres(pid: number): boolean {
  try {
    const command = execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { env: commandEnvironment })
    return command.toString().includes('postgres')
  } catch {
    return false
  }
}

/** Whether there is a process with this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}
