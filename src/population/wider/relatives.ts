import { date, populationEnd, yearMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, terminology } from '../datatypes.ts'
import { femaleNames, maleNames } from '../names.ts'
import { definition } from './type-definition.ts'

const roles = [
  concept(`${terminology}/v3-RoleCode`, 'SPS', 'spouse'),
  concept(`${terminology}/v3-RoleCode`, 'MTH', 'mother'),
  concept(`${terminology}/v3-RoleCode`, 'FTH', 'father'),
  concept(`${terminology}/v3-RoleCode`, 'CHILD', 'child'),
]

/** Writes the RelatedPersons of a patient. Returns their references, `Type/id`. */
export function writeRelatives(chart: Chart): readonly string[] {
  const { random, person, home, doctor, subject } = chart
  const count = chart.seat.kind === 'page' ? 1 : random.integer(0, 2)
  return Array.from({ length: count }, () => {
    const gender = random.chance(0.5) ? 'female' : 'male'
    const given = random.pick(gender === 'female' ? femaleNames : maleNames)
    const birth = Math.min(person.birth + random.integer(-30, 30) * yearMs, populationEnd - yearMs)
    const written = { at: person.seenFrom, by: doctor, organization: home.hospital }
    return chart.add('RelatedPerson', chart.nextId(), written, definition('RelatedPerson'), {
      active: true,
      patient: subject,
      relationship: [random.pick(roles)],
      name: [{ use: 'official', family: person.family, given: [given] }],
      telecom: [
        { system: 'phone', value: `1-${random.integer(201, 989)}-555-0${random.integer(100, 199)}`, use: 'home' },
      ],
      gender,
      birthDate: date(birth),
      address: [{ use: 'home', city: person.town.city, state: person.town.state, country: 'US' }],
    })
  })
}
