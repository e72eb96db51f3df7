import { pagePatientIds } from './page-patients.ts'
import { patientId, patientsMax } from './record-ids.ts'

/** What a population is made from: the same options always give the same bytes. */
export interface PopulationOptions {
  /** Patients without the heavy one; the page's patients are the first three of them. */
  readonly patients: number
  /** An integer from 0 to 4,294,967,295. */
  readonly seed: number
  /** Have the patients and Groups that the operation's page names. */
  readonly pagePatients?: boolean
  /** Records of other types, too, than the exports of Oracle have: what insurances, pharmacies, laboratories and relatives bring. */
  readonly types?: 'all'
  /** Observations of one more patient, `heavyPatientId`, who has that many: at least `heavyObservationsMin`. */
  readonly heavyPatient?: number
}

/** A patient's place in the population: where it stands and what is special about it. */
export interface Seat {
  readonly index: number
  readonly id: string
  /** `bare` patients have nothing but their Patient record. */
  readonly kind: 'usual' | 'bare' | 'page' | 'heavy'
}

/** The heavy patient stands behind all others, so that its records are the same in every population of a seed. */
const heavyIndex = patientsMax
export const heavyPatientId = patientId(heavyIndex)
export const seedMax = 2 ** 32 - 1
export const heavyObservationsMin = 1_000
export const heavyObservationsMax = 10_000_000

/** The seat at a position from 0. */
export function seatAt(index: number, options: PopulationOptions): Seat {
  const pageId = options.pagePatients ? pagePatientIds[index] : undefined
  if (pageId !== undefined) return { index, id: pageId, kind: 'page' }
  return { index, id: patientId(index), kind: index % 25 === 11 ? 'bare' : 'usual' }
}

/** All seats in the order of the population. */
export function* seats(options: PopulationOptions): Generator<Seat> {
  for (let index = 0; index < options.patients; index++) yield seatAt(index, options)
  if (options.heavyPatient !== undefined) yield heavySeat
}

export const heavySeat: Seat = { index: heavyIndex, id: heavyPatientId, kind: 'heavy' }
