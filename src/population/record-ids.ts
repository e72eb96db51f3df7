import { hash } from './random.ts'

/*
 * Logical ids follow from positions alone, so they are the same for every seed, unique over all types, and known without
 * generating anything. Most are decimal, as Oracle's are; the rest have every other legal shape.
 */

/** Patients a population may have; the positions above are kept for the heavy patient. */
export const patientsMax = 9_000_000
const patientBase = 20_000_000
const recordBase = 1_000_000_000
/** Records one patient may have. Only the heavy patient, whose numbers are the last, may have more. */
const recordsPerPatientMax = 2_000
const idCharactersMax = 64

/** The logical id of the patient at a position. */
export function patientId(index: number): string {
  const number = patientBase + index
  if (index % 20 === 7) return uuid(number, hash(index, 11), hash(index, 12))
  if (index % 20 === 13) return `P.${number}-${hash(index, 13) % 10}`
  return String(number)
}

/** The logical id of the nth record (from 1) of the patient at a position; n = 1 is the first Encounter. */
export function recordId(index: number, n: number): string {
  const number = recordBase + index * recordsPerPatientMax + n
  const mixed = hash(index, n)
  const shape = mixed % 1000
  if (shape < 40) return uuid(number, mixed, hash(n, index))
  if (shape < 65) return `VS-${number}-${shape}`
  if (shape < 80) return `d${shape % 10}.${number}.${mixed % 100}`
  if (shape < 83) return `${number}-`.padEnd(idCharactersMax, hexadecimal(mixed, 8))
  return String(number)
}

/** Throws when an ordinary patient outgrows the numbers kept for it: its ids would run into the next patient's. */
export function assertRecordNumber(n: number): void {
  if (n >= recordsPerPatientMax) throw new Error(`a patient has more than ${recordsPerPatientMax} records`)
}

/** The logical id of a shared record (Organization, Location, Practitioner) by its number in the network. */
export function sharedId(number: number): string {
  if (number % 16 === 5) return uuid(number, hash(number, 21), hash(number, 22))
  if (number % 16 === 11) return `N-${number}.0`
  return String(4_000_000 + number)
}

function uuid(number: number, high: number, low: number): string {
  const left = hexadecimal(high, 8)
  const middle = hexadecimal(low, 8)
  const variant = 8 + (low % 4)
  return `${left}-${middle.slice(0, 4)}-4${middle.slice(4, 7)}-${variant.toString(16)}${left.slice(2, 5)}-${hexadecimal(number, 12)}`
}

const hexadecimal = (number: number, digits: number): string => number.toString(16).padStart(digits, '0')
