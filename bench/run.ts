import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import program from '../package.json' with { type: 'json' }
import type { Bench } from './bench.ts'
import { Book } from './book.ts'
import { Caller } from './caller.ts'
import { openDataset, seed } from './dataset.ts'
import { figuresOf, type Result } from './figure.ts'
import { describeMachine } from './machine.ts'
import { loadBarePatients, loadDataset, loadingFigures } from './measures/loading.ts'
import type { Options } from './options.ts'
import { rebuildPacks } from './packs.ts'
import { measureRounds } from './rounds.ts'
import { BenchServer } from './server.ts'
import { type BenchStore, filesDirectory, keepStore, openStore, register, removeStore, tenant } from './store.ts'

/** What a run needs and nobody wants afterwards, in the directory `workName` of the results' directory. */
const scratch = ['output', 'copy', 'bare-patients.ndjson']
const workName = 'millrace-bench'

/** Runs the benchmark. Whatever happens, nothing is left behind but what `--keep` asks for. */
export async function runBench(
  options: Options,
  inherited: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Result> {
  const work = join(options.out, workName)
  const removed = options.keep ? scratch.map((name) => join(work, name)) : [work]
  await mkdir(work, { recursive: true, mode: 0o700 })
  for (const name of scratch) await rm(join(work, name), { recursive: true, force: true })
  try {
    return await withStore(work, options, inherited, say, signal)
  } finally {
    for (const path of removed) await rm(path, { recursive: true, force: true })
  }
}

async function withStore(
  work: string,
  options: Options,
  inherited: NodeJS.ProcessEnv,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<Result> {
  const { patients, databaseUrl, repeats } = options
  say(`dataset of ${patients.toLocaleString('en')} patients`)
  const dataset = await openDataset(work, patients, signal)
  const store = await openStore(work, dataset, databaseUrl, inherited)
  const server = new BenchServer(store.environment, filesDirectory(work), 'client=off,poll=off')
  let loaded = store.kept !== undefined
  try {
    const started = performance.now()
    const credentials = await register(work, store, signal)
    await server.start()
    const book = new Book()
    const notes = new Set<string>()
    const caller = new Caller(`${server.url}/r4/${tenant}`, credentials, signal)
    const note = (text: string) => notes.add(text)
    const bench = { work, dataset, store, server, caller, book, repeats, say, note, signal }
    const storedRecords = await prepare(bench)
    loaded = true
    await measureRounds(bench, options)
    return {
      millrace: program.version,
      measured: new Date().toISOString(),
      machine: await describeMachine(store.pool, databaseUrl === undefined ? 'embedded' : 'external'),
      dataset: { patients, seed, records: dataset.records, bytes: dataset.bytes, storedRecords },
      repeats,
      seconds: (performance.now() - started) / 1000,
      notes: [...notes],
      figures: figuresOf(book, dataset.records),
    }
  } finally {
    await server.stop()
    if (options.keep && loaded) await store.database.close()
    else await removeStore(work, store)
  }
}

/** Loads the store, or takes over what an earlier run found when it did. @returns the records in the store at each of its sizes */
async function prepare(bench: Bench): Promise<readonly number[]> {
  const { work, dataset, store, book } = bench
  if (store.kept === undefined) {
    const storedRecords = await loadDataset(bench)
    await loadBarePatients(bench)
    await keepStore(work, store, { fingerprint: dataset.fingerprint, storedRecords }, book, loadingFigures)
    return storedRecords
  }
  takeOver(store, book)
  bench.say('packing')
  await rebuildPacks(store, bench.signal)
  bench.note('The figures of loading and of the sizes of the store are those of the run that loaded the kept store.')
  return store.kept.storedRecords
}

function takeOver({ kept }: BenchStore, book: Book): void {
  for (const [name, samples] of kept!.samples) for (const sample of samples) book.add(name, sample)
}
