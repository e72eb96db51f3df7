import { extensions, fixed } from '../datatypes.ts'
import type { Raw } from '../json.ts'

const known = new Map<string, Raw>()

/** `meta.profile` of records that claim no more than R4's own definition of their type. */
export function definition(type: string): Raw {
  const found = known.get(type) ?? fixed([`${extensions}/${type}`])
  known.set(type, found)
  return found
}
