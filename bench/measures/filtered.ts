import { addPolls, type Bench, patientsOf } from '../bench.ts'
import { shares } from '../catalogue.ts'
import { tenant } from '../store.ts'

/** The type that is filtered: the one with the most records of all that can be. */
const type = 'Observation'

const filters = {
  /** Thyrotropin, one Observation of about a thousand: the code is looked for in the bytes of a pack before a line is looked at. */
  rare: `${type}?code=http://loinc.org|3016-3`,
  /** So many alternatives are not looked for in the bytes, and every Observation has a status. Few have one of these. */
  parsed: `${type}?status=registered,cancelled,entered-in-error,unknown,amended`,
} as const

export async function measureFiltered(bench: Bench): Promise<void> {
  for (const name of ['rare', 'parsed'] as const) {
    for (const share of shares) {
      const patients = patientsOf(bench.dataset, share)
      const scanned = await recordsOf(bench, patients)
      const found = await bench.caller.export({ patients, types: [type], typeFilters: [filters[name]] })
      if (found.records >= scanned) throw new Error(`the filter ${filters[name]} let all of ${scanned} records pass`)
      bench.book.add(`${name}-${share}`, scanned / found.seconds)
      addPolls(bench, share, found)
    }
  }
}

/** How many current records of the type these patients have: all of them must be looked at. */
async function recordsOf({ store }: Bench, patients: readonly string[]): Promise<number> {
  const { rows } = await store.pool.query<{ count: number }>(
    `select count(*)::int as count from millrace.record
     where tenant = $1 and owner = any ($2) and type = $3 and superseded = 'infinity' and not deleted`,
    [tenant, patients, type],
  )
  return rows[0]!.count
}
