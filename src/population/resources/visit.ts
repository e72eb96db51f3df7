import { dayMs, exampleSince, hourMs, minuteMs } from '../calendar.ts'
import type { Authorship, Chart } from '../chart.ts'
import { coding, concept, reference, snomed, terminology } from '../datatypes.ts'
import type { Raw } from '../json.ts'
import type { Location, Organization, Practitioner, Site } from '../network.ts'
import type { Random } from '../random.ts'

/** A kind of visit: how it is coded, how long it lasts, and how likely each group of records is. */
interface VisitKind {
  readonly weight: number
  readonly class: Raw
  readonly type: Raw
  readonly minutes: readonly [low: number, high: number]
  readonly inpatient?: boolean
  readonly vitals: number
  readonly laboratory: number
  readonly illness: number
  readonly procedure: number
  readonly immunization: number
  readonly document: number
}

const act = (code: string, display: string): Raw => coding(`${terminology}/v3-ActCode`, code, display)
const ambulatory = act('AMB', 'ambulatory')

const visitKinds: readonly VisitKind[] = [
  {
    weight: 34,
    class: ambulatory,
    type: concept(snomed, '162673000', 'General examination of patient (procedure)'),
    minutes: [20, 60],
    ...{ vitals: 0.95, laboratory: 0.45, illness: 0.1, procedure: 0.55, immunization: 0.6, document: 0.4 },
  },
  {
    weight: 26,
    class: ambulatory,
    type: concept(snomed, '185345009', 'Encounter for symptom (procedure)'),
    minutes: [10, 35],
    ...{ vitals: 0.7, laboratory: 0.15, illness: 0.85, procedure: 0.3, immunization: 0, document: 0.4 },
  },
  {
    weight: 20,
    class: ambulatory,
    type: concept(snomed, '390906007', 'Follow-up encounter (procedure)'),
    minutes: [10, 30],
    ...{ vitals: 0.6, laboratory: 0.4, illness: 0.05, procedure: 0.3, immunization: 0.15, document: 0.35 },
  },
  {
    weight: 8,
    class: act('EMER', 'emergency'),
    type: concept(snomed, '50849002', 'Emergency room admission (procedure)'),
    minutes: [90, 700],
    ...{ vitals: 1, laboratory: 0.7, illness: 1, procedure: 0.8, immunization: 0.05, document: 0.9 },
  },
  {
    weight: 4,
    class: act('IMP', 'inpatient encounter'),
    type: concept(snomed, '32485007', 'Hospital admission (procedure)'),
    minutes: [1500, 14_000],
    inpatient: true,
    ...{ vitals: 1, laboratory: 1, illness: 0.7, procedure: 1, immunization: 0, document: 1 },
  },
  {
    weight: 6,
    class: act('VR', 'virtual'),
    type: concept(snomed, '448337001', 'Telemedicine consultation with patient (procedure)'),
    minutes: [5, 25],
    ...{ vitals: 0, laboratory: 0, illness: 0.6, procedure: 0.05, immunization: 0, document: 0.3 },
  },
  {
    weight: 2,
    class: act('HH', 'home health'),
    type: concept(snomed, '439708006', 'Home visit (procedure)'),
    minutes: [30, 90],
    ...{ vitals: 0.9, laboratory: 0.1, illness: 0.1, procedure: 0.5, immunization: 0.1, document: 0.3 },
  },
]

/** One visit: what its Encounter and all records made during it agree on. */
export interface Visit extends Authorship {
  readonly id: string
  /** Reference to its Encounter. */
  readonly encounter: Raw
  readonly kind: VisitKind
  readonly start: number
  readonly end: number
  readonly site: Site
  readonly ward: Location
  readonly department: Organization
  readonly by: Practitioner
  readonly status: 'finished' | 'planned' | 'in-progress' | 'cancelled' | 'entered-in-error'
}

const visitsMin = 4
const visitsSpread = 14
/** Minutes after midnight between which visits begin. */
const openMinutes = [8 * 60, 17 * 60 + 30] as const
const weightTotal = visitKinds.reduce((sum, kind) => sum + kind.weight, 0)

/** When a patient comes, oldest first. Recent years are fuller, as in a store that began to fill slowly. */
export function visitTimes(chart: Chart): readonly number[] {
  const { random, person, seat } = chart
  const span = person.seenUntil - person.seenFrom
  const count = visitsMin + Math.floor(random.next() ** 2 * visitsSpread)
  const times = Array.from({ length: count }, () => person.seenFrom + span * (1 - random.next() ** 2.2))
  if (seat.kind === 'page') times.push(exampleSince - 400 * dayMs, exampleSince + 40 * dayMs)
  return times.map((time) => openingTime(chart, time)).sort((a, b) => a - b)
}

/** A time of the same day at which doors are open. */
function openingTime({ random, person }: Chart, time: number): number {
  const midnight = Math.floor(time / dayMs) * dayMs - person.town.offsetHours * hourMs
  return Math.min(midnight + random.integer(...openMinutes) * minuteMs, person.seenUntil - hourMs)
}

/** The visit at a time. `thorough` makes it the general examination, so that it has everything. */
export function openVisit(chart: Chart, start: number, thorough: boolean): Visit {
  const { random, shared, home, doctor, person } = chart
  const kind = thorough ? visitKinds[0]! : drawKind(random)
  const away = random.chance(0.15)
  const site = away ? random.pick(shared.sites) : home
  const end = Math.min(start + random.integer(...kind.minutes) * minuteMs, person.seenUntil + dayMs)
  const id = chart.nextId()
  const by = !away && random.chance(0.6) ? doctor : random.pick(site.practitioners)
  return {
    id,
    encounter: reference(`Encounter/${id}`),
    kind,
    start,
    end,
    at: end,
    site,
    ward: random.pick(site.wards),
    department: random.pick(site.departments),
    organization: site.hospital,
    by,
    status: drawStatus(random),
  }
}

function drawKind(random: Random): VisitKind {
  let left = random.next() * weightTotal
  for (const kind of visitKinds) {
    left -= kind.weight
    if (left < 0) return kind
  }
  return visitKinds[0]!
}

function drawStatus(random: Random): Visit['status'] {
  const draw = random.next()
  if (draw < 0.98) return 'finished'
  return draw < 0.99 ? 'in-progress' : 'entered-in-error'
}
