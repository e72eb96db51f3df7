import { formatInstant } from '../../../fhir/instant.ts'
import { writeInstant } from '../../copy/copy-in.ts'
import { type NewRecords, noTime, placesOfRow } from './new-records.ts'

/** What stands before an owner: the number of columns, and its length. */
const ownerAt = 6
/** From the content of `written` to that of others. */
const [updatedBehind, leadBehind, sharedBehind] = [12, 29, 34]

/** Fills in the time from which the rows are valid: milliseconds since 1970. */
export function stamp({ bytes, places }: NewRecords, written: number): void {
  const instant = Buffer.alloc(8)
  writeInstant(instant, written, 0)
  const text = Buffer.from(formatInstant(written), 'latin1')
  for (let row = 0; row < rowsOf(places) * placesOfRow; row += placesOfRow) {
    const [at, time] = [places[row + 1]!, places[row + 2]!]
    bytes.set(instant, at)
    if (time === noTime) continue
    bytes.set(instant, at + updatedBehind)
    bytes.set(text, time)
  }
}

/** Rows that are complete, and where each begins. */
export interface StampedRows {
  readonly bytes: Buffer
  readonly starts: Int32Array
}

const rowsOf = (places: Int32Array): number => (places.length - 1) / placesOfRow

export const asTheyAre = ({ bytes, places }: NewRecords): StampedRows => ({
  bytes,
  starts: Int32Array.from({ length: rowsOf(places) }, (_, row) => places[row * placesOfRow]!),
})

/**
 * The rows of Provenances with their owners: one row for each, the first leads.
 * @param ownersOf the distinct owners of a row in order, by its number
 * @param take gives memory for so many bytes
 */
export function spread(
  { bytes, count, places }: NewRecords,
  ownersOf: (row: number) => readonly string[],
  take: (bytes: number) => Buffer,
): StampedRows {
  const owners = Array.from({ length: count }, (_, row) => ownersOf(row))
  const sizeOf = (row: number) => places[(row + 1) * placesOfRow]! - places[row * placesOfRow]!
  const room = owners.reduce((sum, each, row) => sum + each.length * (sizeOf(row) + ownerRoom), 0)
  const rows = take(room)
  const starts: number[] = []
  let at = 0
  for (let row = 0; row < count; row++) {
    const start = places[row * placesOfRow]!
    const each = owners[row]!
    for (const [index, owner] of each.entries()) {
      starts.push(at)
      at += bytes.copy(rows, at, start, start + ownerAt)
      const size = rows.write(owner, at, 'latin1')
      rows.writeInt32BE(size, at - 4)
      at += size
      const written = at + places[row * placesOfRow + 1]! - start - ownerAt
      at += bytes.copy(rows, at, start + ownerAt, places[(row + 1) * placesOfRow])
      rows[written + leadBehind] = index === 0 ? 1 : 0
      rows[written + sharedBehind] = each.length > 1 ? 1 : 0
    }
  }
  return { bytes: rows.subarray(0, at), starts: Int32Array.from(starts) }
}

/** The longest id. */
const ownerRoom = 64
