import { Failure } from '../failure.ts'
import { parseInstant } from '../fhir/instant.ts'
import { patientsMax } from './limits.ts'

/** What an export asks for. */
export interface ExportOrder {
  /** A list of patient ids (`POST Patient/$export`) or one Group id (`GET Group/{id}/$export`). */
  readonly selection: { readonly patients: readonly string[] } | { readonly group: string }
  /** Empty: all that the token allows. */
  readonly types: readonly string[]
  /** One `Type?query` each. */
  readonly typeFilters: readonly string[]
  readonly since?: string | undefined
  readonly includeAssociatedData: readonly string[]
}

const idPattern = /^[A-Za-z0-9\-.]{1,64}$/
const typePattern = /^[A-Za-z]{1,64}$/

/** Refuses what no server could accept, before a token is asked for. @throws Failure */
export function checkOrder(order: ExportOrder): void {
  const ids = 'group' in order.selection ? [order.selection.group] : order.selection.patients
  if (ids.length === 0) throw new Failure('No patient was named.', 'Use --patient, --patients-file or --group.')
  if (ids.length > patientsMax) throw tooManyPatients()
  const badId = ids.find((id) => !idPattern.test(id))
  if (badId !== undefined) {
    throw new Failure(
      `${JSON.stringify(badId)} is not a FHIR id.`,
      'An id has 1 to 64 letters, digits, hyphens and full stops.',
    )
  }
  const badType = order.types.find((type) => !typePattern.test(type))
  if (badType !== undefined) {
    throw new Failure(`${JSON.stringify(badType)} is not a resource type.`, 'Write, for example, --type Condition.')
  }
  if (order.since !== undefined && parseInstant(order.since) === undefined) {
    throw new Failure(
      `${JSON.stringify(order.since)} is not an instant.`,
      'Write --since with seconds and a zone, as in 2021-03-18T19:19:42Z.',
    )
  }
}

/**
 * Reads a list of patients: one `id` or `Patient/id` a line, `#` starts a comment, repeats count once.
 * @throws Failure when more than 20,000 remain (S-23).
 */
export function parsePatients(text: string): string[] {
  const patients = new Set<string>()
  for (const line of text.split('\n')) {
    const id = line.replace(/#.*/, '').trim()
    if (id !== '') patients.add(patientId(id))
    if (patients.size > patientsMax) throw tooManyPatients()
  }
  return [...patients]
}

/** The id of `id` or `Patient/id`. */
export const patientId = (text: string): string => text.replace(/^Patient\//, '')

const tooManyPatients = () =>
  new Failure(
    `The list has more than ${patientsMax} patients, the most that one export may name.`,
    'Split it, for example with "split -l 20000", and run one export after the other, each with its own --out.',
  )
