import { setTimeout as sleep } from 'node:timers/promises'
import type { Attack } from './attacks.ts'
import { attacks } from './attacks.ts'
import type { Ground } from './ground.ts'
import { grownTables, sizesOf } from './growth.ts'
import { Bystander, type Notice } from './notice.ts'
import { RunningAttack } from './running-attack.ts'

/** What a soak tells of one stretch of it. */
interface SoakStretch {
  readonly minutes: number
  readonly attack: string
  readonly notice: Notice
  readonly megabytes: number | undefined
  readonly rows: Readonly<Record<string, number>>
  readonly fileBytes: number
  readonly databaseBytes: number
}

export interface SoakResult {
  readonly quiet: Notice
  readonly stretches: readonly SoakStretch[]
}

/** Attacks that a soak goes through in turn beside the ordinary clients and the slow readers, and how often it changes. */
const stretchesMin = 6
const quietMs = 15_000

/**
 * Lets everybody go on for a long time: ordinary clients, slow readers and a hostile one who tries one attack after the other. Tells in
 * each stretch what others notice, and what has grown since the beginning.
 */
export async function soak(
  ground: Ground,
  minutes: number,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<SoakResult> {
  const bystander = new Bystander(ground, signal)
  const stretchMs = Math.min(60_000, (minutes * 60_000) / stretchesMin)
  const lasting: RunningAttack[] = []
  try {
    say('what somebody notices when all is quiet')
    const quiet = await bystander.watch(Math.min(quietMs, stretchMs))
    const begun = performance.now()
    const first = await sizesOf(ground)
    lasting.push(await RunningAttack.start(ordinaryClients, ground), await RunningAttack.start(slowReaders, ground))
    const stretches: SoakStretch[] = []
    while (performance.now() - begun < minutes * 60_000) {
      const attack = attacks[stretches.length % attacks.length]!
      const running = await RunningAttack.start(attack, ground)
      const notice = await bystander.watch(stretchMs)
      await running.stop()
      await sleep(Math.min(1_000, stretchMs))
      const now = await sizesOf(ground)
      const passed = (performance.now() - begun) / 60_000
      say(`${passed.toFixed(1)} min: ${attack.name}, ${Math.round(now.megabytes ?? 0)} MB`)
      stretches.push({
        minutes: passed,
        attack: attack.name,
        notice,
        megabytes: now.megabytes,
        rows: grownTables(first, now),
        fileBytes: now.fileBytes,
        databaseBytes: now.databaseBytes,
      })
      signal.throwIfAborted()
    }
    return { quiet, stretches }
  } finally {
    for (const running of lasting) await running.stop()
    bystander.close()
  }
}

const ordinaryClients: Pick<Attack, 'name'> = { name: 'ordinary clients' }
const slowReaders: Pick<Attack, 'name'> = { name: 'slow readers' }
