import { instant, text } from '../sql-literal.ts'
import { absenceType } from './absence-pack.ts'
import type { PackDemand } from './pack-demand.ts'

/** Types whose packs are not asked for the times of their records. */
const timeless = `type in (${[absenceType, 'Provenance'].map(text).join(', ')})`

type Times = Pick<PackDemand, 'since' | 'until'>

/** SQL: a pack may hold a record of the time that is asked for. */
export function touchesTimes({ since, until }: Times): string {
  const bounds = [
    ...(since === undefined ? [] : [`newest > ${instant(since)}`]),
    ...(until === undefined ? [] : [`oldest < ${instant(until)}`]),
  ]
  return bounds.length === 0 ? 'true' : `(${timeless} or ${bounds.join(' and ')})`
}

/** SQL: all records of a pack are of the time that is asked for. */
export function isWithinTimes({ since, until }: Times): string {
  const bounds = [
    ...(since === undefined ? [] : [`oldest > ${instant(since)}`]),
    ...(until === undefined ? [] : [`newest < ${instant(until)}`]),
  ]
  return bounds.length === 0 ? 'true' : `(${timeless} or ${bounds.join(' and ')})`
}
