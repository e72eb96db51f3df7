import { isOpen, openMarks, readOpen, somebody } from '../../fhir/open-reference.ts'
import { documentedTypes, isCompartmentType, isResourceType } from '../../fhir/resource-types.ts'
import type { Draft } from '../draft.ts'

/** What was found out of a record when it was written. */
export interface StoredRelations {
  /** In order, `['']` for nobody. */
  readonly owners: readonly string[]
  readonly refs: readonly string[]
  readonly targets: readonly string[]
}

/**
 * A stored record under the present rules. These only give, to types and of types that had no part in the former ones: what was found out then was,
 * by URLs under which the server was reached, which may be others now. So nothing is taken from a patient.
 * @param draft the record as it would be written now
 */
export function renewedDraft(draft: Draft, stored: StoredRelations): Draft {
  const isGiven = isCompartmentType(draft.type) && stored.owners[0] === ''
  const owners = draft.owners && (isGiven ? draft.owners : stored.owners)
  const targets = [...new Set([...stored.targets, ...draft.targets])]
  return { ...draft, owners, targets, refs: renewedRefs(draft, stored, isGiven) }
}

function renewedRefs({ refs }: Draft, stored: StoredRelations, isGiven: boolean): readonly string[] {
  const isNews = (entry: string) => {
    if (entry === somebody.crowd) return isGiven
    return entry === somebody.stranger ? stored.owners[0] === '' : !wasElsewhere(entry, isGiven)
  }
  return [...new Set([...stored.refs.filter((entry) => !isOutdated(entry)), ...refs.filter(isNews)])]
}

/** Whether it says of a type that no export had it, as they have now, or that these were a crowd, which is asked anew. */
function isOutdated(entry: string): boolean {
  if (!isOpen(entry)) return false
  const { mark, type } = readOpen(entry)
  return mark === openMarks.crowded || (mark === openMarks.unexported && type !== undefined && isResourceType(type))
}

/** Whether it was known when the record was written if a reference leads elsewhere that seems to now. Of patients it was for subjects alone. */
function wasElsewhere(entry: string, isGiven: boolean): boolean {
  if (!entry.startsWith(openMarks.elsewhere)) return false
  const { type } = readOpen(entry)
  return type === undefined || (documented.has(type) && !(isGiven && type === 'Patient'))
}

const documented: ReadonlySet<string> = new Set(documentedTypes)
