import type { Issue } from '../../fhir/operation-outcome.ts'

/**
 * Why a member of a Group is not exported although the Group lists them. `unknown`: a patient who is not in the store, or of whom the
 * caller's scopes do not let know: the two must look alike. `group`: the same of a Group. `ambiguous`: an identifier that nobody has,
 * or several; where granular scopes hide some who may have it, that is `unknown` or `group`, too. `elsewhere`: a reference to another
 * server. `unusable`: neither a reference nor an identifier that can be looked up.
 */
export type UnresolvedMember = 'unknown' | 'group' | 'ambiguous' | 'elsewhere' | 'unusable' | 'other-type'

/** A warning for each kind with its number: never who it is, for the caller may know of the Group, but not of its members. */
export function unresolvedIssues(counts: ReadonlyMap<UnresolvedMember, number>): Issue[] {
  return issues.flatMap(([kind, issue]) => {
    const count = counts.get(kind) ?? 0
    return count === 0 ? [] : [{ ...issue, diagnostics: count === 1 ? '1 member' : `${count} members` }]
  })
}

const issues: readonly (readonly [UnresolvedMember, Issue])[] = [
  [
    'unknown',
    { severity: 'warning', code: 'not-found', text: 'Members of the Group are no patients that are known here.' },
  ],
  [
    'group',
    { severity: 'warning', code: 'not-found', text: 'Groups that are members of the Group are not known here.' },
  ],
  [
    'ambiguous',
    {
      severity: 'warning',
      code: 'not-found',
      text: 'Members of the Group have an identifier that leads to nobody, or to several.',
    },
  ],
  ['elsewhere', { severity: 'warning', code: 'not-found', text: 'Members of the Group are on other servers.' }],
  [
    'unusable',
    {
      severity: 'warning',
      code: 'incomplete',
      text: 'Members of the Group have no reference or identifier that can be looked up.',
    },
  ],
  [
    'other-type',
    {
      severity: 'warning',
      code: 'incomplete',
      text: 'Members of the Group are neither patients nor Groups, and have no records to export.',
    },
  ],
]
