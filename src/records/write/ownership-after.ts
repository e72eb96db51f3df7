import type { ClientBase } from 'pg'
import { nobody } from '../../fhir/ownership.ts'
import type { ResourceText } from '../../fhir/resource-text.ts'
import { isOwnedType } from '../../fhir/resource-types.ts'
import { type Current, type Key, readCurrentRows } from '../current.ts'
import type { Draft } from '../draft.ts'
import { type Change, keyTextOf } from './change.ts'
import {
  ownersOfTargets,
  provenanceOwners,
  provenancesToPlace,
  type StoredProvenance,
  storedProvenances,
  targetsOf,
} from './provenance-owners.ts'

/** What a write means for who owns what. */
export interface Ownership {
  /** The owners of the targets (`Type/id`) of all Provenances that it writes; a target that is missing has none. */
  readonly owners: ReadonlyMap<string, readonly string[]>
  /** Records that get their first owner. */
  readonly arrived: readonly Key[]
  /** Provenances outside the write that get other owners by it. */
  readonly placed: readonly StoredProvenance[]
  /** Targets that may give owners later, each with the id of the Provenance that waits for it. */
  readonly awaited: readonly { readonly provenance: string; readonly target: string }[]
  /** A record goes from some owners to others. */
  readonly moving: boolean
}

/** A record that a write gives other owners than it had. What is about it, each of the former ones owns, or it is a crowd's. */
interface Move extends Key {
  readonly formerOwner: string
}

/**
 * Finds out what a write means for who owns what.
 * @param current the current versions of the records that are written; those of placed Provenances are added
 */
export async function ownershipAfter(
  client: ClientBase,
  tenant: string,
  changes: readonly Change[],
  current: Map<string, Current>,
): Promise<Ownership> {
  const drafts = changes.flatMap((change) => (change.kind === 'put' ? [change.draft] : []))
  const { arrived, moved } = newlyOwned(drafts, current)
  const inWrite = new Set(changes.map(keyTextOf))
  const placed = await placements(client, tenant, arrived, moved, inWrite, current)
  const sources = [...drafts, ...placed.map((row) => ({ id: row.id, targets: targetsOf(row), text: row.text }))]
  const known = new Map(drafts.flatMap((draft) => (draft.owners === undefined ? [] : [[draft.key, draft.owners]])))
  const targets = sources.flatMap((source) => source.targets)
  const owners = await ownersOfTargets(client, tenant, targets, known)
  const awaited = sources.flatMap((source) =>
    awaitedTargets(source, owners).map((target) => ({ provenance: source.id, target })),
  )
  return { owners, arrived, placed, awaited, moving: moved.length > 0 }
}

/** The targets of which a Provenance waits for their next owners: those that have none, and those that do not count for they have several. */
function awaitedTargets(
  { targets, text }: Pick<Draft, 'targets'> & { readonly text: ResourceText | null },
  owners: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const { isCrowded } = provenanceOwners(targets, owners, text?.bytes.length ?? 0)
  return targets.filter((target) => {
    const found = owners.get(target) ?? nobody
    return found[0] === '' || (isCrowded && found.length > 1)
  })
}

/** Records that this write gives their first owner, and records that it gives others. */
function newlyOwned(drafts: readonly Draft[], current: ReadonlyMap<string, Current>) {
  const arrived: Key[] = []
  const moved: Move[] = []
  for (const draft of drafts) {
    if (draft.owners === undefined || !isOwnedType(draft.type) || draft.type === 'Patient') continue
    const former = current.get(draft.key)?.owners ?? ['']
    if (former.length === draft.owners.length && former.every((owner, index) => owner === draft.owners![index]))
      continue
    if (former[0] === '') arrived.push(draft)
    else moved.push({ type: draft.type, id: draft.id, formerOwner: former[0]! })
  }
  return { arrived, moved }
}

/** The Provenances outside this write whose owners it changes; their current versions are added to `current`. */
async function placements(
  client: ClientBase,
  tenant: string,
  arrived: readonly Key[],
  moved: readonly Move[],
  inWrite: ReadonlySet<string>,
  current: Map<string, Current>,
): Promise<readonly StoredProvenance[]> {
  const found = await provenancesToPlace(client, tenant, arrived, moved)
  const ids = found.filter((id) => !inWrite.has(`Provenance/${id}`))
  if (ids.length === 0) return []
  const rows = await readCurrentRows(
    client,
    tenant,
    ids.map((id) => ({ type: 'Provenance', id })),
  )
  for (const [key, row] of rows) current.set(key, row)
  return storedProvenances(client, tenant, rows)
}
