import { somebody } from '../../fhir/open-reference.ts'
import type { Current } from '../current.ts'
import type { Row } from '../record-row.ts'
import { type Change, keyTextOf, lastUpdatedOf, type Put, type WriteTimes } from './change.ts'
import type { Ownership } from './ownership-after.ts'
import { provenanceOwners, type StoredProvenance, targetsOf } from './provenance-owners.ts'

/** The rows that changes add to the store: for each owner of a new version one. All changes are ones that write. */
export function newRows(
  changes: readonly Change[],
  { owners, placed }: Ownership,
  current: ReadonlyMap<string, Current>,
  times: WriteTimes,
): Row[] {
  const rows = placed.flatMap((provenance) => placedRows(provenance, owners, times.written))
  for (const change of changes) {
    const before = current.get(keyTextOf(change))
    rows.push(...(change.kind === 'put' ? putRows(change, before, owners, times) : tombstones(before!, times.written)))
  }
  return rows
}

function putRows(
  { draft, again }: Put,
  before: Current | undefined,
  owners: ReadonlyMap<string, readonly string[]>,
  times: WriteTimes,
): Row[] {
  const row = {
    type: draft.type,
    id: draft.id,
    version: again ?? (before?.version ?? 0) + 1,
    written: times.written,
    updated: again === undefined ? lastUpdatedOf(draft, times) : before!.updated.getTime(),
    refs: draft.refs.join(' '),
    targets: draft.targets.join(' '),
    digest: again === undefined ? draft.digest : before!.digest,
    text: draft.text,
  }
  return draft.owners ? spread(row, draft.owners) : spreadProvenance(row, draft.targets, owners)
}

function tombstones(before: Current, written: number): Row[] {
  const { type, id, version, owners } = before
  const digest = Buffer.alloc(0)
  const row = { type, id, version: version + 1, written, updated: written, refs: '', targets: '', digest, text: null }
  return spread(row, owners)
}

/** The same version of a Provenance again, for its owners from now on. */
function placedRows(
  provenance: StoredProvenance,
  owners: ReadonlyMap<string, readonly string[]>,
  written: number,
): Row[] {
  const row = { ...provenance, type: 'Provenance', written, updated: provenance.updated.getTime() }
  return spreadProvenance(row, targetsOf(provenance), owners)
}

/** The mark of a crowd comes and goes with it. */
function spreadProvenance(
  row: OwnedRow,
  targets: readonly string[],
  owners: ReadonlyMap<string, readonly string[]>,
): Row[] {
  const found = provenanceOwners(targets, owners, row.text?.bytes.length ?? 0)
  const refs = row.refs.split(' ').filter((entry) => entry !== '' && entry !== somebody.crowd)
  return spread({ ...row, refs: [...refs, ...(found.isCrowded ? [somebody.crowd] : [])].join(' ') }, found.owners)
}

/** A row but for its owner. */
type OwnedRow = Omit<Row, 'owner' | 'lead' | 'shared'>

/** One row for each owner; the first leads. */
function spread(row: OwnedRow, owners: readonly string[]): Row[] {
  return owners.map((owner, index) => ({ ...row, owner, lead: index === 0, shared: owners.length > 1 }))
}
