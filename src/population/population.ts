import { type Network, network } from './network.ts'
import { pagePatientIds } from './page-patients.ts'
import type { PopulationRecord } from './record.ts'
import { patientsMax } from './record-ids.ts'
import { groups } from './resources/group.ts'
import { networkRecords } from './resources/network-records.ts'
import { patientRecords } from './resources/patient-records.ts'
import {
  heavyObservationsMax,
  heavyObservationsMin,
  heavySeat,
  type PopulationOptions,
  type Seat,
  seatAt,
  seedMax,
} from './seat.ts'
import { widerNetworkRecords } from './wider/network-roles.ts'

/**
 * A synthetic US Core-like population as a stream: shared Organizations, Locations and Practitioners, then every patient's records,
 * then the Groups. The same options give the same bytes on every machine; memory does not grow with the number of patients.
 * Throws RangeError for options out of bounds.
 */
export function* population(options: PopulationOptions): Generator<PopulationRecord> {
  assertOptions(options)
  const { seed, patients, heavyPatient } = options
  const shared = network(seed)
  yield* networkRecords(shared, seed)
  if (options.types === 'all') yield* widerNetworkRecords(shared, seed)
  for (let index = 0; index < patients; index++) yield* seated(shared, options, index)
  if (heavyPatient !== undefined)
    yield* patientRecords(shared, seed, heavySeat, undefined, heavyPatient, isWide(options))
  yield* groups(options)
}

/** The records of the patient at a position (from 0), exactly as `population` gives them. */
export function onePatient(options: PopulationOptions, index: number): Generator<PopulationRecord> {
  assertOptions(options)
  return seated(network(options.seed), options, index)
}

function seated(shared: Network, options: PopulationOptions, index: number): Generator<PopulationRecord> {
  const previous: Seat | undefined = index === 0 ? undefined : seatAt(index - 1, options)
  return patientRecords(shared, options.seed, seatAt(index, options), previous, 0, isWide(options))
}

const isWide = ({ types }: PopulationOptions): boolean => types === 'all'

function assertOptions({ patients, seed, pagePatients, heavyPatient }: PopulationOptions): void {
  assertBetween('patients', patients, pagePatients ? pagePatientIds.length : 0, patientsMax)
  assertBetween('seed', seed, 0, seedMax)
  if (heavyPatient !== undefined)
    assertBetween('heavyPatient', heavyPatient, heavyObservationsMin, heavyObservationsMax)
}

function assertBetween(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return
  throw new RangeError(`${name} must be an integer from ${low} to ${high}, not ${value}`)
}
