import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../src/failure.ts'
import { measureBundles } from './bundles/bundles.ts'
import { bundlesTable } from './bundles/bundles-table.ts'
import { onGround } from './hostile/ground.ts'
import { measureAttacks } from './hostile/hostile.ts'
import { hostileTable, soakTable } from './hostile/hostile-table.ts'
import { soak } from './hostile/soak.ts'
import { type Options, readOptions } from './options.ts'
import { chartsOf } from './report/charts.ts'
import { writeDocs } from './report/docs.ts'
import { printResult } from './report/table.ts'
import { runBench } from './run.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new Failure('Stopped.', 'Nothing was written.', { exitCode: 130 })))
}

/** Tells what is done, with the seconds since the start. */
function say(text: string): void {
  process.stderr.write(`[${(performance.now() / 1000).toFixed(1).padStart(6)} s] ${text}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options.under?.kind === 'bundles') await byBundles(options, options.under.bundles)
  else if (options.under !== undefined) await underAttack(options, options.under)
  else await figures(options)
} catch (error) {
  const failure = stop.signal.aborted ? stop.signal.reason : error
  if (!(failure instanceof Failure)) throw failure
  process.stderr.write(`bench: ${failure.message}\n${failure.advice}\n`)
  process.exitCode = failure.exitCode
}

async function byBundles({ out, json }: Options, bundles: number): Promise<void> {
  const found = await measureBundles(out, bundles, process.env, say, stop.signal)
  process.stdout.write(`${bundlesTable(found)}\n`)
  if (json !== undefined) await writeFile(json, `${JSON.stringify(found, null, 2)}\n`)
}

async function underAttack(
  { out, patients, json }: Options,
  under: Exclude<Options['under'], undefined | { readonly kind: 'bundles' }>,
): Promise<void> {
  const result = await onGround(out, patients, process.env, say, stop.signal, async (ground) => {
    if (under.kind === 'attack') {
      const found = await measureAttacks(
        ground,
        { ms: under.seconds * 1_000, attacks: under.attacks },
        say,
        stop.signal,
      )
      process.stdout.write(`${hostileTable(found)}\n`)
      return found
    }
    const found = await soak(ground, under.minutes, say, stop.signal)
    process.stdout.write(`${soakTable(found)}\n`)
    return found
  })
  if (json !== undefined) await writeFile(json, `${JSON.stringify(result, null, 2)}\n`)
}

async function figures(options: Options): Promise<void> {
  const result = await runBench(options, process.env, say, stop.signal)
  printResult(process.stdout, result)
  const charts = chartsOf(result)
  for (const { name, svg } of charts) await writeFile(join(options.out, name), svg)
  const text = `${JSON.stringify(result, null, 2)}\n`
  for (const file of [join(options.out, 'result.json'), options.json])
    if (file !== undefined) await writeFile(file, text)
  if (options.writeDocs) await writeDocs(result, charts)
  say(`result.json and charts are in ${options.out}`)
}
