import type { Bench } from './bench.ts'
import type { Warmth } from './catalogue.ts'
import { measureDownload } from './measures/download.ts'
import { measureFiltered } from './measures/filtered.ts'
import { measureCopy, measureCp, measureGzip, type Output, writeOutput } from './measures/floors.ts'
import { measureKickOff } from './measures/kick-off.ts'
import { measureMemory } from './measures/memory.ts'
import { ShapedExports } from './measures/shapes.ts'
import { measureSince } from './measures/since.ts'
import { measureSmall } from './measures/small.ts'
import { WholeExports } from './measures/whole.ts'
import type { Options, Subject } from './options.ts'
import { pack } from './packs.ts'

type Step = readonly [what: string, measure: (bench: Bench) => Promise<void>]

/**
 * All rounds: first those of a packed store, then those without packs. Floors are measured between the rest in every round, so that a
 * machine that slows down for a while slows down both.
 */
export async function measureRounds(bench: Bench, { only }: Options): Promise<void> {
  const held = ['warm', 'cold', 'download'].some((subject) => only.has(subject as Subject))
  await pack(bench.store, bench.signal)
  if (held) bench.say('writing the output of an export to disk, for the floors')
  const output = held ? await writeOutput(bench) : undefined
  const whole = new WholeExports()
  const shaped = new ShapedExports()
  if (only.has('warm')) {
    bench.say('exports that do not count')
    await whole.warmUp(bench)
  }
  const chosen = (steps: readonly (readonly [Subject, Step])[]): Step[] =>
    steps.filter(([subject]) => only.has(subject)).map(([, step]) => step)

  await rounds(bench, 'warm', [
    ...floors(output, 'warm'),
    ...chosen([
      ['warm', ['exports', (one) => whole.measure(one, 'warm')]],
      ['small', ['small exports', measureSmall]],
      ['kick-off', ['kick-offs with 20,000 patients', measureKickOff]],
      ['filtered', ['filtered exports', measureFiltered]],
      ['download', ['downloads', measureDownload]],
      ['shapes', ['exports in many shapes', (one) => shaped.measure(one)]],
      ['since', ['incremental exports', measureSince]],
    ]),
  ])
  if (only.has('memory')) await memory(bench, 'warm')
  if (only.has('cold')) {
    const cold: Step = ['exports', (one) => whole.measure(one, 'cold')]
    await rounds(bench, 'cold', [...floors(output, 'cold'), cold])
  }
  if (only.has('memory')) await memory(bench, 'cold')
}

async function rounds(bench: Bench, warmth: Warmth, steps: readonly Step[]): Promise<void> {
  const { repeats } = bench
  for (let round = 1; round <= repeats; round++) {
    // The incremental exports of the round before have changed records, whose packs are gone.
    if (warmth === 'warm') await pack(bench.store, bench.signal)
    for (const [what, measure] of steps) {
      bench.say(`round ${round} of ${repeats}, ${warmth}: ${what}`)
      await measure(bench)
    }
  }
}

async function memory(bench: Bench, warmth: Warmth): Promise<void> {
  bench.say(`memory of the server, ${warmth}`)
  if (warmth === 'warm') await pack(bench.store, bench.signal)
  await measureMemory(bench, warmth)
}

/** Copying is what an export of packs is held against, compressing what one without packs is. */
function floors(output: Output | undefined, warmth: Warmth): Step[] {
  if (output === undefined) return []
  const cp: Step = ['cp', (bench) => measureCp(bench, output)]
  const gzip: Step = ['gzip -1', (bench) => measureGzip(bench, output)]
  return [warmth === 'warm' ? cp : gzip, ['COPY', measureCopy]]
}
