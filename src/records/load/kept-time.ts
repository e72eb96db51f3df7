import { parseInstant } from '../../fhir/instant.ts'
import type { Draft } from '../draft.ts'

/** How much the clock of a source may be ahead of ours. */
const aheadMsMax = 1_000

/**
 * Whether the `meta.lastUpdated` that a source states cannot be kept: it is no instant, or is still to come. A record of the future would
 * be in every export with `_since` until then.
 */
export function isUnkeepable({ text: { lastUpdated } }: Draft, now: number): boolean {
  if (lastUpdated === undefined) return false
  const ms = parseInstant(lastUpdated)
  return ms === undefined || ms > now + aheadMsMax
}

/** The draft as if its source had stated no time: it gets that of its writing. */
export const withoutTime = (draft: Draft): Draft => ({ ...draft, text: { ...draft.text, lastUpdated: undefined } })
