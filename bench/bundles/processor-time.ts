import { readdir, readFile } from 'node:fs/promises'
import type { Pool } from 'pg'

/** The system counts processor time in these. */
const tickMs = 10
/** By so much the threads that carry out requests have given way to the others. */
const requestThreadNice = 10

/** Milliseconds of processor time that have been spent, or are spent on one thing. */
export interface ProcessorTime {
  /** Of the server but its request threads. */
  readonly server: number
  readonly requestThreads: number
  readonly database: number
  /** Of the benchmark itself: the clients. */
  readonly clients: number
}

/** What all have spent so far; undefined where the system does not tell. */
export async function processorTime(server: number, pool: Pool): Promise<ProcessorTime | undefined> {
  if (process.platform !== 'linux') return undefined
  const threads = await Promise.all((await readdir(`/proc/${server}/task`)).map((id) => statOf(`${server}/task/${id}`)))
  const requestThreads = sum(threads.filter(({ nice }) => nice === requestThreadNice))
  const { user, system } = process.cpuUsage()
  return {
    server: (await statOf(`${server}`)).ms - requestThreads,
    requestThreads,
    database: await databaseTime(pool),
    clients: (user + system) / 1_000,
  }
}

/** Of all processes of the database that run or have ended. */
async function databaseTime(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  const { parent } = await statOf(`${rows[0]!.pid}`)
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(ids.map((id) => statOf(id)))
  const postmaster = await statOf(`${parent}`)
  return postmaster.ms + postmaster.endedMs + sum(stats.filter((stat) => stat.parent === parent))
}

const sum = (stats: readonly { readonly ms: number }[]): number => stats.reduce((total, { ms }) => total + ms, 0)

/** See proc_pid_stat(5); what has ended meanwhile has spent nothing. */
async function statOf(path: string) {
  const text = await readFile(`/proc/${path}/stat`, 'utf8').catch(() => '')
  const field = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [, parent = 0] = field
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0, , nice = 0] = field.slice(11)
  return { parent, nice, ms: (user + system) * tickMs, endedMs: (endedUser + endedSystem) * tickMs }
}
