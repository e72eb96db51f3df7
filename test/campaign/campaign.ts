import type { PlannedRun } from './fault-plan.ts'
import { tidied } from './leftovers.ts'
import { playRound } from './round.ts'
import { openSite } from './site.ts'
import { Tally } from './tally.ts'

/** Of the text of a violation. */
const violationCharsMax = 1_500

/**
 * Plays a plan from its beginning to its end. `tell` gets a line for each round. `tidies`: at the end of each run wait until what dead
 * attempts left behind is gone, which the sweeper may take more than half a minute for.
 */
export async function play(
  plan: readonly PlannedRun[],
  seed: number,
  tell: (line: string) => void,
  { tidies = true } = {},
): Promise<Tally> {
  const tally = new Tally()
  for (const { site: kind, servers, rounds } of plan) {
    tally.place = `${kind} with ${servers}`
    const site = await openSite(kind, servers)
    try {
      for (const round of rounds) {
        const struck = round.strikes.map(
          (strike) => `${strike.kind} ${strike.target} ${strike.afterMs}+${strike.lastsMs}`,
        )
        tally.place = `round ${round.number} (${kind}, ${servers} servers; ${struck.join(', ')})`
        const began = performance.now()
        const before = tally.violations.length
        await playRound(site, round, seed, tally)
        tally.counts.rounds += 1
        const seconds = ((performance.now() - began) / 1_000).toFixed(1)
        tell(`${tally.violations.length === before ? 'ok ' : 'BAD'} ${tally.place}: ${seconds} s`)
        for (const violation of tally.violations.slice(before)) tell(`    ${violation.slice(0, violationCharsMax)}`)
      }
      if (tidies) await tidied(site, tally)
    } finally {
      await site.close()
    }
  }
  return tally
}
