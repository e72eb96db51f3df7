import type { Current } from './current.ts'
import { packedTypes } from './packed-types.ts'
import type { PackChange } from './packs.ts'
import type { Row } from './row.ts'

/**
 * The owners and types whose records a write changes. A record that goes or comes back, and a patient who comes after what is said of
 * them, change what the Provenances of the owner are about, too. A new patient is to have packs of all types, also of those without records.
 */
export function packsToDrop(rows: readonly Row[], superseded: readonly Current[]): PackChange[] {
  const changes = new Map<string, PackChange>()
  const add = (owner: string, type: string) => {
    if (owner !== '') changes.set(`${owner} ${type}`, { owner, type, changed: true })
  }
  for (const { owner, type, version, text } of rows) {
    add(owner, type)
    if (text === null || (type === 'Patient' && version === 1)) add(owner, 'Provenance')
  }
  for (const { owners, type, deleted } of superseded) {
    for (const owner of owners) {
      add(owner, type)
      if (deleted) add(owner, 'Provenance')
    }
  }
  for (const { owner, type: rowType, version } of rows) {
    if (rowType !== 'Patient' || version !== 1) continue
    for (const type of packedTypes) {
      const key = `${owner} ${type}`
      if (!changes.has(key)) changes.set(key, { owner, type, changed: false })
    }
  }
  return [...changes.values()]
}
