import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { setSkew } from './database-clock.ts'
import type { Strike } from './fault-plan.ts'
import { signalAll } from './processes.ts'
import { killEverything, type Site } from './site.ts'
import { steadily } from './steadily.ts'

/** What a file may hold while the disk is full: less than any export writes. */
const fullBytes = 16
/** Nobody may come by in time. */
const watchMsMax = 4_000
const skewSeconds = 600

/** What strikes need to know of a round. `pick` chooses among servers and processes, the same for the same seed. */
export interface Field {
  readonly site: Site
  readonly killLoad: () => void
  readonly pick: (count: number) => number
}

/** Carries out a strike and waits until it has passed and what it killed is back. @returns why it could not be done */
export async function carryOut(strike: Strike, field: Field): Promise<string | undefined> {
  const { kind, target, lastsMs } = strike
  if (kind === 'kill') return kill(target, field)
  if (kind === 'pause') return pauseFor(target, lastsMs, field)
  if (kind === 'cut') return cut(target, lastsMs, field)
  if (kind === 'fill') return fill(lastsMs, field)
  if (kind === 'clock') return turnBack(lastsMs, field)
  await field.site.failOver!()
  return undefined
}

async function kill(target: string, field: Field): Promise<undefined> {
  const { site, killLoad } = field
  const [postmaster, ...others] = target === 'server' || target === 'load' ? [] : site.databasePids()
  if (target === 'load') killLoad()
  if (target === 'server') await serverOf(field).kill()
  if (target === 'postmaster') signalAll([postmaster!], 'SIGKILL')
  if (target === 'backend') signalAll([others[field.pick(others.length)]!], 'SIGKILL')
  if (target === 'everything') {
    killLoad()
    const gone = Promise.all(site.servers.map((server) => server.kill()))
    killEverything(site)
    await gone
  }
  await revive(site)
}

/** Starts again what does not run. */
export async function revive(site: Site): Promise<void> {
  await site.reviveDatabase()
  for (const server of site.servers) await server.start()
}

async function pauseFor(target: string, lastsMs: number, field: Field): Promise<string | undefined> {
  const { site } = field
  if (target === 'database') {
    const pids = site.databasePids()
    signalAll(pids, 'SIGSTOP')
    await pause(lastsMs)
    signalAll(pids, 'SIGCONT')
    return undefined
  }
  const server = serverOf(field)
  if (target === 'server at the cut' && !(await within(site.link!.sent('cut()')))) return 'no kick-off came by'
  // Where two servers have one link, the one that stands in its cut may be the other one.
  const paused = target === 'server' ? [server] : site.servers
  for (const each of paused) each.signal('SIGSTOP')
  await pause(lastsMs)
  for (const each of paused) each.signal('SIGCONT')
  return undefined
}

async function cut(target: string, lastsMs: number, { site }: Field): Promise<string | undefined> {
  const link = site.link!
  if (target === 'commit') return (await within(link.loseCommit())) ? undefined : 'no commit came by'
  if (target === 'break') link.breakAll()
  else if (target === 'stall') link.stall()
  else if (target === 'swallow') link.swallow()
  else link.halfClose()
  await pause(lastsMs)
  link.heal()
  return undefined
}

/**
 * The disk of files is full for the servers: by the system's bound on the size of files, which fails the same calls as a full disk does
 * (EFBIG in place of ENOSPC), and needs no disk of its own, which only an administrator can mount.
 */
async function fill(lastsMs: number, { site }: Field): Promise<string | undefined> {
  const limit = (bytes: string) => {
    for (const { pid } of site.servers) {
      if (pid !== undefined) execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`], { stdio: 'ignore' })
    }
  }
  try {
    limit(String(fullBytes))
  } catch {
    return 'prlimit is not there'
  }
  await pause(lastsMs)
  limit('unlimited')
  return undefined
}

async function turnBack(lastsMs: number, { site }: Field): Promise<undefined> {
  await steadily(() => setSkew(site.pool, -skewSeconds))
  await pause(lastsMs)
  await steadily(() => setSkew(site.pool, 0))
}

const serverOf = ({ site, pick }: Field) => site.servers[pick(site.servers.length)]!

async function within(event: Promise<void>): Promise<boolean> {
  return Promise.race([event.then(() => true), pause(watchMsMax, false)])
}
