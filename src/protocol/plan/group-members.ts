import type { IdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import { isObject, type JsonObject } from '../../fhir/json/json-object.ts'
import { modifierExtensionIn } from '../../fhir/modifier-extension.ts'
import { groupEntriesMax } from '../limits.ts'
import { type Problem, problem } from '../problem.ts'
import { readEntity } from './member-entity.ts'
import { periodHolds } from './member-period.ts'
import type { UnresolvedMember } from './unresolved-members.ts'

/** What a Group says about who is in it at a moment. */
export interface GroupMembers {
  /** Ids of member patients, distinct. */
  readonly patients: readonly string[]
  /** Ids of member Groups, distinct. */
  readonly groups: readonly string[]
  /** Patients and Groups that are meant by an identifier. */
  readonly queries: readonly IdentifierQuery[]
  /** A kind for each member who cannot be found whatever is in the store. */
  readonly unresolved: readonly UnresolvedMember[]
  /** Members listed, those too who are none at the moment. */
  readonly entries: number
}

/**
 * The members of a Group: those that are not inactive, and whose period holds the moment. What is not understood is a problem, because
 * a guess would hand out the records of somebody who is no member, or silently leave out one who is.
 * @param at the moment, in milliseconds since 1970
 */
export function groupMembers(
  group: JsonObject,
  { bases, at }: { readonly bases: readonly string[]; readonly at: number },
): GroupMembers | Problem {
  const modified = modifierExtensionIn(group, 'Group')
  if (modified !== undefined) {
    const text = 'The Group has a modifier extension that is not understood: it may change who is a member.'
    return problem(422, 'extension', text, { expression: modified })
  }
  const { member = [], characteristic, actual } = group
  if (!Array.isArray(member)) return unreadable('Group.member', 'It must be an array.')
  if (actual === false || (member.length === 0 && Array.isArray(characteristic) && characteristic.length > 0)) {
    const text = 'The Group says by a definition who is in it; only members that are listed can be exported.'
    return problem(422, 'not-supported', text, {
      expression: actual === false ? 'Group.actual' : 'Group.characteristic',
    })
  }
  if (member.length > groupEntriesMax) {
    return problem(400, 'too-long', `A Group may list at most ${groupEntriesMax} members.`, {
      diagnostics: `Found ${member.length}, those who are none at the moment too. Split it into several Groups.`,
    })
  }
  return sortMembers(group, member, bases, BigInt(at) * 1_000_000n)
}

function sortMembers(
  { type }: JsonObject,
  members: readonly unknown[],
  bases: readonly string[],
  atNs: bigint,
): GroupMembers | Problem {
  const patients = new Set<string>()
  const groups = new Set<string>()
  const queries: IdentifierQuery[] = []
  const unresolved: UnresolvedMember[] = []
  for (const [index, member] of members.entries()) {
    const place = `Group.member[${index}]`
    if (!isObject(member)) return unreadable(place, 'It must be an object.')
    const { entity, inactive = false, period } = member
    if (typeof inactive !== 'boolean') return unreadable(`${place}.inactive`, 'It must be a boolean.')
    const isHeld = period === undefined || periodHolds(period, atNs)
    if (isHeld === undefined) return unreadable(`${place}.period`, 'It must have a start or an end, in this order.')
    if (inactive || !isHeld) continue
    const who = readEntity(entity, type, bases)
    if (typeof who === 'string') unresolved.push(who)
    else if ('value' in who) queries.push(who)
    else (who.type === 'Patient' ? patients : groups).add(who.id)
  }
  return { patients: [...patients], groups: [...groups], queries, unresolved, entries: members.length }
}

const unreadable = (expression: string, diagnostics: string): Problem =>
  problem(422, 'value', 'A member of the Group cannot be read, so it is not known who is in it.', {
    diagnostics,
    expression,
  })
