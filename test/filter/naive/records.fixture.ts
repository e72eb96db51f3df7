import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { searchParameters } from '../../../src/filter/search-parameters.generated.ts'
import { population } from '../../../src/population/population.ts'

/** Lines of NDJSON by resource type. */
export type Records = ReadonlyMap<string, readonly string[]>

/** Real test data beside the project; absent in a checkout of its own. */
const dataFolder = new URL('../../../../shared/data/', import.meta.url)

/** Those that are NDJSON: Bundles are taken apart by `load`, and tested with it. */
export const dataSets: readonly string[] = existsSync(dataFolder)
  ? readdirSync(dataFolder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && filesOf(entry.name).some((file) => typeOf(file) !== undefined))
      .map(({ name }) => name)
  : []

function filesOf(name: string): string[] {
  return readdirSync(new URL(`${name}/`, dataFolder))
}

/** The filterable type whose records a file holds. */
function typeOf(file: string): string | undefined {
  const type = /^(\w+)\.ndjson\.gz$/.exec(file)?.[1]
  return type !== undefined && Object.hasOwn(searchParameters, type) ? type : undefined
}

/** At most so many lines of each filterable type of a data set, from all over the file. */
export function dataSet(name: string, most: number): Records {
  const folder = new URL(`${name}/`, dataFolder)
  const records = new Map<string, string[]>()
  for (const file of filesOf(name)) {
    const type = typeOf(file)
    if (type === undefined) continue
    const text = gunzipSync(readFileSync(new URL(file, folder))).toString()
    records.set(type, spread(text.split('\n').filter(Boolean), most))
  }
  return records
}

/** At most so many generated lines of each filterable type. */
export function populationRecords(most: number): Records {
  const records = new Map<string, string[]>()
  for (const { type, line } of population({ patients: 4, seed: 7, pagePatients: true, types: 'all' })) {
    if (!Object.hasOwn(searchParameters, type)) continue
    const lines = records.get(type) ?? []
    lines.push(line)
    records.set(type, lines)
  }
  return new Map([...records].map(([type, lines]) => [type, spread(lines, most)]))
}

function spread(lines: readonly string[], most: number): string[] {
  const step = Math.max(1, Math.ceil(lines.length / most))
  return lines.filter((_, index) => index % step === 0)
}
