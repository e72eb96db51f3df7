import type { IdentifierQuery } from '../../fhir/bundle/identifier-query.ts'
import { groupBytesMax, groupDepthMax, groupEntriesTotalMax, groupsMax, patientsMax } from '../../protocol/limits.ts'
import { type GroupMembers, groupMembers } from '../../protocol/plan/group-members.ts'
import type { UnresolvedMember } from '../../protocol/plan/unresolved-members.ts'
import { type Problem, problem } from '../../protocol/problem.ts'
import { readTest } from '../../protocol/request/filters.ts'
import { idsByIdentifier } from '../../records/identifiers.ts'
import { currentBodies, currentBytes } from '../../records/read.ts'
import { storeTime } from '../../records/store-clock.ts'
import type { Room } from '../bytes/room.ts'
import type { Caller } from '../caller.ts'
import type { StoreContext } from '../context.ts'

/** Who is in a Group and in the Groups in it. */
export interface Membership {
  readonly patients: readonly string[]
  /** How many members could not be found, by reason, where of the patients only these are known to the caller. */
  unresolved(known: ReadonlySet<string>): ReadonlyMap<UnresolvedMember, number>
}

export const noSuchGroup = problem(404, 'not-found', 'There is no such Group.')

/**
 * The patients of a Group and of the Groups in it, at the store's present moment: the cut of the export follows within the kick-off.
 * Groups are read level by level, each once, so that circles end; what is too much is refused before it is read.
 * @param room takes their bytes
 */
export async function membersOf(
  context: StoreContext,
  caller: Caller,
  id: string,
  room: Room,
): Promise<Membership | Problem> {
  const reading = new GroupReading(context, caller, await storeTime(context.pool), room)
  let level: readonly string[] = [id]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > groupDepthMax) {
      return problem(400, 'too-long', `Groups may lie in each other ${groupDepthMax} times.`)
    }
    const next = await reading.read(level, depth > 0)
    if ('status' in next) return next
    level = next.groups
  }
  return reading
}

class GroupReading implements Membership {
  readonly #context: StoreContext
  readonly #caller: Caller
  readonly #at: number
  readonly #room: Room
  /** Scopes that let read only some: whether an identifier leads to one of the others, to nobody or to several is not told apart. */
  readonly #veiled: Readonly<Record<'Patient' | 'Group', boolean>>
  readonly #patients = new Set<string>()
  /** Those of them who are named by a reference. */
  readonly #referenced = new Set<string>()
  /** To whom each identifier leads, one place for each identifier. */
  readonly #identified: string[] = []
  readonly #seen = new Set<string>()
  readonly #asked = new Set<string>()
  readonly #unresolved = new Map<UnresolvedMember, number>()
  #bytes = 0
  #entries = 0

  constructor(context: StoreContext, caller: Caller, at: number, room: Room) {
    this.#context = context
    this.#room = room
    this.#caller = caller
    this.#at = at
    const { grant, profile } = caller
    this.#veiled = {
      Patient: typeof grant.readable('Patient') !== 'string',
      Group: profile.groupScopeRequired && typeof grant.readable('Group') !== 'string',
    }
  }

  get patients(): readonly string[] {
    return [...this.#patients]
  }

  unresolved(known: ReadonlySet<string>): ReadonlyMap<UnresolvedMember, number> {
    // One who is listed twice counts once, but where that would tell that an identifier is theirs.
    const members = this.#veiled.Patient ? [...this.#referenced, ...this.#identified] : this.patients
    const unknown = members.filter((id) => !known.has(id)).length
    return new Map(this.#unresolved).set('unknown', (this.#unresolved.get('unknown') ?? 0) + unknown)
  }

  /** Reads Groups that were not read before; gives those in them. */
  async read(ids: readonly string[], nested: boolean): Promise<{ readonly groups: readonly string[] } | Problem> {
    const { pool } = this.#context
    for (const id of ids) this.#seen.add(id)
    const bytes = await currentBytes(pool, this.#caller.tenant, 'Group', ids)
    this.#bytes += bytes
    if (this.#bytes > groupBytesMax) {
      return problem(400, 'too-long', `The Group and the Groups in it have more than ${groupBytesMax} bytes.`)
    }
    await this.#room.take(bytes)
    const found = await this.#membersOf(ids)
    if ('status' in found) return nested ? inNested(found) : found
    if (!nested && found.length === 0) return noSuchGroup
    this.#count('group', ids.length - found.length)
    return this.#take(found)
  }

  /** The members of those of the Groups that the caller may know of. */
  async #membersOf(ids: readonly string[]): Promise<GroupMembers[] | Problem> {
    const { tenant, base, profile, grant } = this.#caller
    const readable = profile.groupScopeRequired ? grant.readable('Group') : 'all'
    const mayRead = readTest(readable, { base, now: new Date(this.#at) })
    const found: GroupMembers[] = []
    for await (const groups of currentBodies(this.#context.pool, tenant, 'Group', ids)) {
      for (const { body } of groups) {
        if (!mayRead(body)) continue
        const members = groupMembers(JSON.parse(body), { bases: [base], at: this.#at })
        if ('status' in members) return members
        found.push(members)
      }
    }
    return found
  }

  async #take(found: readonly GroupMembers[]): Promise<{ readonly groups: readonly string[] } | Problem> {
    const queries: IdentifierQuery[] = []
    const groups = new Set<string>()
    for (const members of found) {
      this.#entries += members.entries
      for (const patient of members.patients) {
        this.#patients.add(patient)
        this.#referenced.add(patient)
      }
      for (const group of members.groups) groups.add(group)
      for (const kind of members.unresolved) this.#count(kind, 1)
      queries.push(...members.queries.filter((query) => this.#isNew(query)))
    }
    const excess = this.#excess(queries.length)
    if (excess) return excess
    for (const group of await this.#resolve(queries)) groups.add(group)
    const next = [...groups].filter((group) => !this.#seen.has(group))
    if (this.#patients.size > patientsMax) return this.#excess(0)!
    if (this.#seen.size + next.length <= groupsMax) return { groups: next }
    return problem(400, 'too-long', `The Group has more than ${groupsMax} Groups in it.`)
  }

  /** Looks identifiers up; gives the Groups among those who have them. */
  async #resolve(queries: readonly IdentifierQuery[]): Promise<string[]> {
    if (queries.length === 0) return []
    const found = await idsByIdentifier(this.#context.pool, this.#caller.tenant, queries)
    const groups: string[] = []
    for (const [index, { type }] of queries.entries()) {
      const [id, another] = found[index]!
      if (id === undefined || another !== undefined) this.#count(this.#nobodyOf(type), 1)
      else if (type === 'Group') groups.push(id)
      else {
        this.#patients.add(id)
        this.#identified.push(id)
      }
    }
    return groups
  }

  #nobodyOf(type: string): UnresolvedMember {
    if (type === 'Group') return this.#veiled.Group ? 'group' : 'ambiguous'
    return this.#veiled.Patient ? 'unknown' : 'ambiguous'
  }

  #excess(queries: number): Problem | undefined {
    if (this.#entries > groupEntriesTotalMax) {
      const text = `The Group and the Groups in it list more than ${groupEntriesTotalMax} members.`
      return problem(400, 'too-long', text, { diagnostics: 'Those who are none at the moment count too.' })
    }
    const patients = this.#patients.size + queries
    if (patients <= patientsMax) return undefined
    return problem(400, 'too-long', `The Group has more than ${patientsMax} patients.`, {
      diagnostics: `Found ${patients}. Split it into several Groups.`,
    })
  }

  #isNew({ type, system, value }: IdentifierQuery): boolean {
    const key = JSON.stringify([type, system, value])
    if (this.#asked.has(key)) return false
    this.#asked.add(key)
    return true
  }

  #count(kind: UnresolvedMember, members: number): void {
    if (members > 0) this.#unresolved.set(kind, (this.#unresolved.get(kind) ?? 0) + members)
  }
}

/** Locations are those of the Group at fault, which is not the one that was asked for. */
const inNested = (found: Problem): Problem => ({
  ...found,
  diagnostics: [found.diagnostics, 'It is a Group that is a member.'].filter(Boolean).join(' '),
})
