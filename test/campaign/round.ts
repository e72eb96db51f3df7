import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Random } from '../../src/population/random.ts'
import { Caller } from './caller.ts'
import { Exporter } from './exporter.ts'
import type { PlannedRound } from './fault-plan.ts'
import { currentOf, historyOf } from './history.ts'
import { Ledger } from './ledger.ts'
import { settled } from './leftovers.ts'
import { Loader } from './loader.ts'
import { newTenant } from './new-tenant.ts'
import { program } from './serve-process.ts'
import type { Site } from './site.ts'
import { steadily } from './steadily.ts'
import { carryOut, revive } from './strikes.ts'
import type { Tally } from './tally.ts'
import { judgeExport, judgeWrites } from './verdict.ts'
import { Writer } from './writer.ts'

const writers = 3
/** Writers go on for this long when the last strike has passed. */
const afterglowMs = 1_500
/** By then everything that was begun has ended, counted from the last strike. */
const recoveryMsMax = 300_000
const loadRunsMax = 5

/** A tenant of its own, writers, an exporter and a load; strikes; and then everything is compared with the naive model. */
export async function playRound(
  site: Site,
  { number, strikes }: PlannedRound,
  seed: number,
  tally: Tally,
): Promise<void> {
  const tenant = `round-${number}`
  const ledger = new Ledger()
  const caller = new Caller(
    site.servers.map(({ url }) => url),
    tenant,
    await newTenant(site, tenant),
    tally,
  )
  const random = (purpose: number) => new Random(seed, number, purpose)
  const crew = Array.from({ length: writers }, (_, index) => new Writer(`w${index}`, random(index), caller, ledger))
  const exporter = new Exporter(random(writers), caller)
  const loader = await Loader.prepare(site.storeFlags, tenant, dirname(dirname(site.files)), ledger)
  await crew[0]!.settle(performance.now() + recoveryMsMax)

  let struck = false
  const deadline = () => performance.now() + recoveryMsMax
  const striking = strikeAll()
  const latest = performance.now() + recoveryMsMax + lengthOf(strikes)
  const work = [
    ...crew.map((writer) => writer.writeWhile(() => !struck)),
    exporter.exportWhile(() => !struck, latest),
    loader.run(),
  ]
  const ends = await Promise.allSettled([striking, ...work])
  for (const end of ends) if (end.status === 'rejected') tally.violation(String(end.reason?.message ?? end.reason))
  await finish(exporter, loader, deadline(), tally)
  await settled(site, tally)
  await judge()

  async function strikeAll(): Promise<void> {
    const began = performance.now()
    const field = {
      site,
      killLoad: () => loader.kill(),
      pick: (count: number) => random(writers + 1).integer(0, count - 1),
    }
    try {
      await Promise.all(
        strikes.map(async (strike) => {
          await pause(strike.afterMs - (performance.now() - began))
          const refusal = await carryOut(strike, field)
          if (refusal === undefined) tally.strike(`${strike.kind} ${strike.target}`)
          else tally.skipped.add(`${strike.kind} ${strike.target}: ${refusal}`)
        }),
      )
      await pause(afterglowMs)
    } finally {
      site.link?.forget()
      await revive(site)
      struck = true
    }
  }

  async function judge(): Promise<void> {
    const history = await steadily(() => historyOf(site.pool, tenant))
    const current = await steadily(() => currentOf(site.pool, tenant))
    const model = judgeWrites(ledger, { history, current }, tally)
    for (const each of exporter.finished) judgeExport(model, each, tally)
    const complaints = [...exporter.complaints, ...crew.flatMap((writer) => writer.complaints)]
    for (const complaint of complaints) tally.violation(complaint)
    for (const server of site.servers)
      for (const end of [...server.ends.splice(0), ...server.failures.splice(0)]) tally.violation(end)
    tally.counts.loads += loader.runs
    await verifyAudit(site, tally)
  }
}

const lengthOf = (strikes: PlannedRound['strikes']): number =>
  Math.max(0, ...strikes.map(({ afterMs, lastsMs }) => afterMs + lastsMs))

/** The load is repeated until it ends well, and one more export must find everything. */
async function finish(exporter: Exporter, loader: Loader, deadline: number, tally: Tally): Promise<void> {
  try {
    while (!(await loader.run())) {
      if (loader.runs >= loadRunsMax) return tally.violation('a load does not end well any more')
    }
    await exporter.exportOnce(deadline)
  } catch (error) {
    tally.violation(String(error))
  }
}

async function verifyAudit({ storeFlags }: Site, tally: Tally): Promise<void> {
  tally.counts.auditVerifications += 1
  const command = [program, 'audit', 'verify', ...storeFlags, '--json']
  await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 26 }).catch((error) =>
    tally.violation(`the audit trail is not whole: ${String(error.stdout).slice(0, 1_000)} ${error.stderr}`),
  )
}
