import { isOpen, type OpenMark, openMarks, readOpen } from '../../fhir/open-reference.ts'
import type { Issue } from '../../fhir/operation-outcome.ts'
import { isResourceType } from '../../fhir/resource-types.ts'
import type { ExportRequest } from '../request/export-request.ts'
import { comesAlong } from './coming-along.ts'

/**
 * Whether an export tells of an open reference. What it was asked for could be behind it: a type that it has, or one that cannot be told.
 * Types that no export has are told once, as information. Where only what the operation promises is told, that is a Location,
 * Organization or Practitioner of this store whose conditional reference was never resolved.
 */
export function tellsOpen(
  request: Pick<ExportRequest, 'types' | 'tellsAll' | 'allReferred'>,
): (entry: string) => boolean {
  const { types, tellsAll } = request
  const has = (type: string) => (types as readonly string[]).includes(type)
  return (entry) => {
    const { mark, type } = readOpen(entry)
    if (mark === openMarks.crowded || mark === openMarks.relative || mark === openMarks.stranger) return false
    if (tellsAll) return type === undefined || !isResourceType(type) || has(type)
    return mark === openMarks.conditional && type !== undefined && comesAlong(request, type) && has(type)
  }
}

/** What the `error` file tells of open references: a line for each kind, with the types that they are of. */
export function openReferenceIssues(entries: Iterable<string>): Issue[] {
  const types = new Map<OpenMark, Set<string>>()
  for (const entry of entries) {
    if (!isOpen(entry)) continue
    const { mark, type } = readOpen(entry)
    const kind = type === undefined || isResourceType(type) ? mark : openMarks.unexported
    types.set(kind, (types.get(kind) ?? new Set()).add(type ?? unknownType))
  }
  return issues.flatMap(([mark, issue]) => {
    const found = types.get(mark)
    return found === undefined ? [] : [{ ...issue, ...diagnosticsOf([...found].sort()) }]
  })
}

const unknownType = 'of an unknown type'

/** Types that one line names: whoever writes records may invent some. */
const typesTold = 20

function diagnosticsOf(types: readonly string[]): { readonly diagnostics?: string } {
  if (types.length === 1 && types[0] === unknownType) return {}
  const more = types.length > typesTold ? ` and ${types.length - typesTold} more` : ''
  return { diagnostics: `${types.slice(0, typesTold).join(', ')}${more}` }
}

const issues: readonly (readonly [OpenMark, Issue])[] = [
  [
    openMarks.conditional,
    {
      severity: 'warning',
      code: 'incomplete',
      text: 'Conditional references of exported records were never resolved: what they mean did not come along.',
    },
  ],
  [
    openMarks.elsewhere,
    { severity: 'warning', code: 'incomplete', text: 'References of exported records lead to other servers.' },
  ],
  [
    openMarks.urn,
    {
      severity: 'warning',
      code: 'incomplete',
      text: 'References of exported records name entries of Bundles (urn:) that were not loaded with them.',
    },
  ],
  [
    openMarks.unreadable,
    { severity: 'warning', code: 'incomplete', text: 'References of exported records cannot be read.' },
  ],
  [
    openMarks.unexported,
    {
      severity: 'information',
      code: 'informational',
      text: 'References of exported records lead to types that are not exported.',
    },
  ],
]
