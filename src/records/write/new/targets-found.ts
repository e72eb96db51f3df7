import type { ClientBase } from 'pg'
import { ownersIn, type WrittenRows } from '../../packs/fresh/written-rows.ts'
import type { NewProvenances } from './new-records.ts'

/** What the store has of the targets of Provenances. */
export interface TargetsFound {
  /** Of each target, in order and with commas between them; '' of one that is missing, or belongs to nobody. Patients own themselves, be they there or not. */
  readonly owners: readonly string[]
  readonly list: WrittenRows['targets']
}

const furtherOwners = `(
          select string_agg(',' || s.owner, '' order by s.owner) from (
            select owner from record
            where tenant = $1 and type = k.type and id = k.id and not lead and superseded = 'infinity'
            offset 0) s)`

// Lists go as one text each: for thousands of items arrays take longer to write and to read than to look up.
const targetsSql = `
  select string_agg(k.owner, ' ') as owners, string_agg(k.came, ' ') as came
  from (
    select coalesce(case when k.type = 'Patient' then k.id else r.owner || further end, '') as owner, coalesce(r.came, '') as came
    from unnest(string_to_array($2, ' '), string_to_array($3, ' ')) with ordinality as k(type, id, number)
    left join lateral (
      select owner, case when shared then ${furtherOwners} else '' end as further,
        case when not deleted then (date_part('epoch', written) * 1000)::bigint::text end as came from record
      where tenant = $1 and type = k.type and id = k.id and lead and superseded = 'infinity'
      offset 0) r on true
    order by k.number) k`

/** Looks up targets of Provenances. */
export async function targetsFound(
  client: ClientBase,
  tenant: string,
  targets: NewProvenances['targets'],
): Promise<TargetsFound> {
  if (targets.ids === '') return { owners: [], list: { ...targets, owners: '', came: '' } }
  const asked = [tenant, targets.types, targets.ids]
  const { rows } = await client.query<{ owners: string; came: string }>(targetsSql, asked)
  const { owners, came } = rows[0]!
  return { owners: owners.split(' '), list: { ...targets, owners, came } }
}

/**
 * The distinct owners of a Provenance in order, [''] when it has no target.
 * @param owners of each target, as `TargetsFound` has them
 */
export function ownersOfRow(
  { starts, indexes }: NewProvenances,
  owners: readonly string[],
  row: number,
): readonly string[] {
  const [start, end] = [starts[row]!, starts[row + 1]!]
  if (end - start === 1) return ownersIn(owners[indexes[start]!]!)
  const found = new Set<string>()
  for (let at = start; at < end; at++) for (const owner of ownersIn(owners[indexes[at]!]!)) found.add(owner)
  return found.size === 0 ? [''] : [...found].sort()
}
