import { date, dateTime, yearMs } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { concept, profile, snomed } from '../datatypes.ts'
import { note } from './note.ts'
import type { Visit } from './visit.ts'

const implantProfile = profile('implantable-device')
const kinds = [
  {
    name: 'Implantable cardiac pacemaker',
    code: concept(snomed, '706004007', 'Implantable cardiac pacemaker (physical object)'),
  },
  {
    name: 'Implantable defibrillator',
    code: concept(snomed, '72506001', 'Implantable defibrillator, device (physical object)'),
  },
  {
    name: 'Coated femoral stem',
    code: concept(snomed, '468063009', 'Coated femoral stem prosthesis, modular (physical object)'),
  },
  { name: 'Home nebulizer', code: concept(snomed, '170615005', 'Home nebulizer (physical object)') },
  { name: 'Blood glucose meter', code: concept(snomed, '337414009', 'Blood glucose meter (physical object)') },
]

/** Writes a device of the patient. Its owner is `Device.patient`: Device is not in the R4 patient compartment. */
export function writeDevice(chart: Chart, visit: Visit): void {
  const { random, person, subject } = chart
  const { name, code } = random.pick(kinds)
  const { offsetHours } = person.town
  const made = visit.start - random.next() * yearMs
  const expires = visit.start + 9 * yearMs
  const identifier = `0${random.integer(1_000_000_000_000, 9_999_999_999_999)}`
  const lot = String(random.integer(10_000, 99_999_999))
  const serial = String(random.integer(10_000_000, 99_999_999))
  const compact = (ms: number): string => date(ms).slice(2).replaceAll('-', '')
  const carrier = `(01)${identifier}(11)${compact(made)}(17)${compact(expires)}(10)${lot}(21)${serial}`
  chart.add('Device', chart.nextId(), visit, implantProfile, {
    udiCarrier: [{ deviceIdentifier: identifier, issuer: 'http://hl7.org/fhir/NamingSystem/gs1', carrierHRF: carrier }],
    status: random.chance(0.9) ? 'active' : 'inactive',
    distinctIdentifier: random.chance(0.3) ? identifier : undefined,
    manufacturer: 'Acme Devices, Inc.',
    manufactureDate: dateTime(made, offsetHours),
    expirationDate: dateTime(expires, offsetHours),
    lotNumber: lot,
    serialNumber: serial,
    deviceName: [{ name, type: 'user-friendly-name' }],
    type: code,
    patient: subject,
    owner: random.chance(0.3) ? visit.organization.reference : undefined,
    location: random.chance(0.2) ? visit.ward.reference : undefined,
    note: note(chart, visit),
  })
}
