import { dayMs, instant, minuteMs, populationEnd } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, reference, snomed, status, terminology } from '../datatypes.ts'
import type { Seat } from '../seat.ts'
import { definition } from './type-definition.ts'

const checkUp = concept(`${terminology}/v2-0276`, 'CHECKUP', 'A routine check-up, such as an annual physical')
const familyTalk = concept(`${terminology}/v2-0276`, 'WALKIN', 'A previously unscheduled walk-in visit')
const generalPractice = status(snomed, '394814009', 'General practice')
const minutes = 30

const bookedShare = 0.4
/** Share of appointments to which the patient before comes, too. */
const togetherShare = 0.2

/** Writes Appointments: of some visits, and one that is still to come. A few are for two patients. */
export function writeAppointments(chart: Chart, previous: Seat | undefined, relatives: readonly string[]): void {
  const { random, person, seat } = chart
  for (const [index, visit] of chart.visits.entries()) {
    if (!(seat.kind === 'page' && index === 0) && !random.chance(bookedShare)) continue
    writeAppointment(chart, { start: visit.start, others: othersOf(chart, previous, relatives), status: 'fulfilled' })
  }
  if (person.died === undefined) {
    const start = populationEnd + random.integer(1, 60) * dayMs
    writeAppointment(chart, { start, others: othersOf(chart, previous, relatives), status: 'booked' })
  }
}

/** Who comes beside the patient, `Type/id`. */
function othersOf({ random }: Chart, previous: Seat | undefined, relatives: readonly string[]): readonly string[] {
  if (previous !== undefined && random.chance(togetherShare)) return [`Patient/${previous.id}`]
  return relatives.length > 0 && random.chance(0.3) ? relatives : []
}

function writeAppointment(
  chart: Chart,
  {
    start,
    others,
    status: state,
  }: { readonly start: number; readonly others: readonly string[]; readonly status: string },
): void {
  const { random, home, doctor, subjectShown } = chart
  const written = { at: Math.min(start - 7 * dayMs, populationEnd), by: doctor, organization: home.hospital }
  const accepted = { required: 'required', status: 'accepted' }
  chart.add('Appointment', chart.nextId(), written, definition('Appointment'), {
    status: state,
    serviceCategory: [generalPractice],
    appointmentType: others.length > 0 ? familyTalk : checkUp,
    description: others.length > 0 ? 'Talk with the family' : 'Routine visit',
    start: instant(start),
    end: instant(start + minutes * minuteMs),
    minutesDuration: minutes,
    created: instant(start - random.integer(7, 30) * dayMs),
    participant: [
      { actor: subjectShown, ...accepted },
      ...others.map((other) => ({ actor: reference(other), ...accepted })),
      { actor: doctor.reference, ...accepted },
      { actor: home.locations[0]?.reference, ...accepted },
    ],
  })
}
