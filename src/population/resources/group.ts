import { instant, populationEnd } from '../calendar.ts'
import { reference } from '../datatypes.ts'
import { type Json, writeJson } from '../json.ts'
import { pageGroupId, pagePatientIds, pageTenGroupId, pageTenGroupMembers } from '../page-patients.ts'
import type { PopulationRecord } from '../record.ts'
import { type PopulationOptions, type Seat, seatAt, seats } from '../seat.ts'

/** Members of one Group of all patients: as many as Oracle advises for a Group export. */
export const groupMembersMax = 10_000
/** The Group of the first few patients, one of whom has left it. */
export const smallGroupId = 'small-group'
const smallGroupMembers = 5

/** The id of the nth Group (from 1) that together hold all patients. */
const allPatientsGroupId = (n: number): string => `all-patients-${n}`

/** The Groups of a population: all patients in parts, a small one, and those of the operation's page. */
export function* groups(options: PopulationOptions): Generator<PopulationRecord> {
  let members: Json[] = []
  let n = 1
  for (const seat of seats(options)) {
    members.push(member(seat.id))
    if (members.length < groupMembersMax) continue
    yield group(allPatientsGroupId(n), `All patients, part ${n}`, members)
    n += 1
    members = []
  }
  if (members.length > 0) yield group(allPatientsGroupId(n), `All patients, part ${n}`, members)
  yield group(smallGroupId, 'A few patients', smallGroup(options))
  if (!options.pagePatients) return
  yield group(pageGroupId, "The three patients of the operation's page", pagePatientIds.map(member))
  if (options.patients < pageTenGroupMembers) return
  const ten = firstSeats(options, pageTenGroupMembers).map((seat) => member(seat.id))
  yield group(pageTenGroupId, 'Ten patients', ten)
}

function smallGroup(options: PopulationOptions): Json[] {
  const few = firstSeats(options, Math.min(smallGroupMembers, options.patients))
  return few.map(({ id }, i) => {
    const left = i > 0 && i === few.length - 1
    return { entity: reference(`Patient/${id}`), inactive: left ? true : undefined }
  })
}

const firstSeats = (options: PopulationOptions, count: number): Seat[] =>
  Array.from({ length: count }, (_, index) => seatAt(index, options))

const member = (id: string): Json => ({ entity: reference(`Patient/${id}`) })

function group(id: string, name: string, members: readonly Json[]): PopulationRecord {
  const line = writeJson({
    resourceType: 'Group',
    id,
    meta: { versionId: '1', lastUpdated: instant(populationEnd) },
    active: true,
    type: 'person',
    actual: true,
    name,
    quantity: members.length,
    member: members,
  })
  return { type: 'Group', id, line }
}
