import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { play } from './campaign.ts'
import { report } from './campaign-report.ts'
import { type FaultKind, planFaults } from './fault-plan.ts'

/** One round each, with several strikes, on each kind of site: what a change breaks shows here, what is rare in longer campaigns. They wait more than they work, so they run side by side. */
const campaigns: readonly { readonly seed: number; readonly kinds: readonly FaultKind[] }[] = [
  { seed: 37, kinds: ['kill', 'pause'] },
  { seed: 26, kinds: ['cut', 'fail-over'] },
  { seed: 25, kinds: ['cut', 'fail-over'] },
]

/** With fewer acknowledged the campaign has shown nothing; the slowest machine has more. */
const writesLeast = 50

describe('a campaign of faults', { concurrency: true }, () => {
  for (const { seed, kinds } of campaigns) {
    const plan = planFaults(seed, 1, kinds)
    const [{ site, rounds }] = plan as [(typeof plan)[0]]
    const strikes = rounds[0]!.strikes.map(({ kind, target }) => `${kind} ${target}`).join(', ')
    it(`${site}, ${strikes}: no acknowledged write is lost, and every export is the state as of its time`, async (t) => {
      const tally = await play(plan, seed, (line) => t.diagnostic(line), { tidies: false })
      assert.deepEqual(
        tally.violations,
        [],
        report(tally, `npm run campaign -- --seed ${seed} --rounds 1 --only ${kinds}`),
      )
      assert.ok(tally.counts.acknowledgedWrites > writesLeast)
      assert.ok(tally.counts.exports > 0)
    })
  }
})
