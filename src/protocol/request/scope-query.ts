import { isFault } from '../../filter/fault.ts'
import { criteriaMax } from '../../filter/limits.ts'
import { readCriterion } from '../../filter/parse/criterion.ts'
import { scopeSwitches } from '../../filter/parse/switches.ts'
import { percentDecoded } from '../../filter/query-text.ts'
import { quoted } from '../client-text.ts'
import type { GrantedQuery } from '../grant.ts'

/** Why the query of a scope cannot be applied, as a clause. */
export interface UnusableQuery {
  readonly reason: string
}

/** RFC 6749 §3.3: what a scope may be made of; other characters are percent-encoded. */
const scopeText = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * Reads the query of a granular scope, such as `category=laboratory` of `system/Observation.rs?category=laboratory`: what a query of
 * `_typeFilter` may say behind its `?`, in every profile the same. A query that cannot be applied exactly is unusable as a whole.
 */
export function readScopeQuery(type: string, text: string): GrantedQuery | UnusableQuery {
  if (!scopeText.test(text)) return { reason: 'its query is empty or has characters that must be percent-encoded' }
  if (type === '*') return { reason: 'a query needs one resource type, not *' }
  const parts = text.split('&')
  if (parts.length > criteriaMax) return { reason: `its query has more than ${criteriaMax} parameters` }
  const criteria = []
  for (const part of parts) {
    const [, name, value] = (/^([^=]+)=(.*)$/s.exec(part) ?? []).map(percentDecoded)
    if (name === undefined || value === undefined || /\p{Cc}/u.test(name + value)) {
      return { reason: `its query has a part that is not parameter=value: ${quoted(part)}` }
    }
    const criterion = readCriterion(type, name, value, scopeSwitches)
    if (isFault(criterion)) {
      // Without quotes: the reason also goes into an OAuth error, where none may stand.
      return { reason: `${quoted(name).slice(1, -1)} of ${type}: ${criterion.fault} (allowed: ${criterion.allowed})` }
    }
    criteria.push(criterion)
  }
  return { type, criteria }
}
