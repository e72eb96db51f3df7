import { setTimeout as sleep } from 'node:timers/promises'
import type { Cost } from './attacker.ts'
import type { Attack } from './attacks.ts'
import type { Ground } from './ground.ts'
import { grownTables, sizesOf } from './growth.ts'
import { Bystander, type Notice, type Noticed, noticed } from './notice.ts'
import { RunningAttack } from './running-attack.ts'

/** One line of the table. */
export interface AttackResult {
  readonly attack: string
  readonly cost: Cost & { readonly seconds: number }
  /** Of each figure how many times as much as when nobody attacks. */
  readonly ratios: Readonly<Record<Noticed, number>>
  readonly ms: Readonly<Record<Noticed, number>>
  readonly failed: Notice['failed']
  /** Rows that are there more than before, by table, and bytes; memory at the end and a while after it. */
  readonly rows: Readonly<Record<string, number>>
  readonly fileBytes: number
  readonly databaseBytes: number
  readonly megabytes: { readonly before: number; readonly during: number; readonly after: number } | undefined
}

export interface HostileResult {
  readonly quiet: Notice
  /** Rows that the bystander's own work leaves in the same time. */
  readonly quietRows: Readonly<Record<string, number>>
  readonly attacks: readonly AttackResult[]
}

/** Between the start of an attack and the measure, and from its end until what it left is looked at. */
const settleMs = 2_000

/** Measures what others notice of each attack, against what they notice when there is none. */
export async function measureAttacks(
  ground: Ground,
  { ms, attacks }: { readonly ms: number; readonly attacks: readonly Attack[] },
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<HostileResult> {
  const bystander = new Bystander(ground, signal)
  try {
    say('what somebody notices when all is quiet')
    await bystander.watch(Math.min(ms, settleMs))
    const before = await sizesOf(ground)
    const quiet = await bystander.watch(ms)
    const quietRows = grownTables(before, await sizesOf(ground))
    const results: AttackResult[] = []
    for (const attack of attacks) {
      say(attack.name)
      results.push(await measure(attack, ground, bystander, quiet, ms))
      signal.throwIfAborted()
    }
    return { quiet, quietRows, attacks: results }
  } finally {
    bystander.close()
  }
}

async function measure(
  attack: Attack,
  ground: Ground,
  bystander: Bystander,
  quiet: Notice,
  ms: number,
): Promise<AttackResult> {
  const before = await sizesOf(ground)
  const begun = performance.now()
  const running = await RunningAttack.start(attack, ground)
  await sleep(Math.min(ms, settleMs))
  const notice = await bystander.watch(ms)
  const during = await ground.server.residentMegabytes()
  const seconds = (performance.now() - begun) / 1_000
  const cost = await running.stop()
  await sleep(Math.min(ms, settleMs))
  const after = await sizesOf(ground)
  return {
    attack: attack.name,
    cost: { ...cost, seconds },
    ratios: Object.fromEntries(
      noticed.map((kind) => [kind, notice.ms[kind] / quiet.ms[kind]]),
    ) as AttackResult['ratios'],
    ms: notice.ms,
    failed: notice.failed,
    rows: grownTables(before, after),
    fileBytes: Math.max(0, after.fileBytes - before.fileBytes),
    databaseBytes: Math.max(0, after.databaseBytes - before.databaseBytes),
    megabytes:
      before.megabytes === undefined
        ? undefined
        : { before: before.megabytes, during: during ?? 0, after: after.megabytes ?? 0 },
  }
}
