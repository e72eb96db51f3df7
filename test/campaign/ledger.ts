import { formatInstant } from '../../src/fhir/instant.ts'
import type { ModelRecord } from '../simulation/model.ts'

/** What became of a write, as far as its author knows. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

/** One write of one record. The marker stands in its text, and in no other's. */
export interface Attempt {
  readonly marker: string
  readonly type: string
  /** Undefined for a record to which the server gives an id. */
  readonly id: string | undefined
  readonly text: (id: string) => ModelRecord
  /** Attempts of one transaction Bundle: all of them take effect or none. */
  readonly bundle?: string
  outcome: Outcome
  /** What the answer said of it. */
  answered?: { readonly id: string; readonly version: number; readonly text?: string }
}

/** A deletion of a record. `version` is the one it must have made, where its author knows. */
export interface Deletion {
  readonly key: string
  outcome: Outcome
  readonly version: number | undefined
}

/** Everything that the clients of one tenant have tried to write. */
export class Ledger {
  readonly attempts = new Map<string, Attempt>()
  readonly deletions: Deletion[] = []

  add(attempt: Attempt): Attempt {
    this.attempts.set(attempt.marker, attempt)
    return attempt
  }
}

export const markerSystem = 'urn:millrace:campaign'

/** A record that carries its marker as an identifier. `members` are JSON members, each behind a comma. */
export function markedRecord(type: string, id: string, marker: string, members: string): ModelRecord {
  const head = `{"resourceType":"${type}","id":"${id}"`
  const tail = `,"identifier":[{"system":"${markerSystem}","value":"${marker}"}]${members},"n":1.10}`
  return {
    type,
    id,
    source: head + tail,
    text: (version, lastUpdated) =>
      `${head},"meta":{"versionId":"${version}","lastUpdated":"${formatInstant(lastUpdated)}"}${tail}`,
  }
}

/** The marker of a stored line. */
export const markerOf = (line: string): string | undefined =>
  /"identifier":\[\{"system":"urn:millrace:campaign","value":"([^"]+)"\}\]/.exec(line)?.[1]
