import type { Current } from '../current.ts'
import type { Row } from '../record-row.ts'
import type { PackChange } from './drop-packs.ts'

/**
 * The owners and types whose records a write changes. A record that goes or comes back, and a patient who comes after what is said of
 * them, change what the Provenances of the owner are about, too.
 */
export function packsToDrop(rows: readonly Row[], superseded: readonly Current[]): PackChange[] {
  const changes = new Map<string, PackChange>()
  const add = (owner: string, type: string) => {
    if (owner !== '') changes.set(`${owner} ${type}`, { owner, type })
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
  return [...changes.values()]
}
