import { formatInstant } from '../fhir/instant.ts'
import type { Profile } from './profile.ts'

/** One file of a completed job. */
export interface ManifestPart {
  readonly id: string
  readonly kind: 'output' | 'error'
  readonly type: string
  readonly records: number
}

/** The 200 answer of the status URL (IG "Response - Complete Status"). */
export interface Manifest {
  readonly transactionTime: string
  readonly request: string
  readonly requiresAccessToken: true
  readonly output: readonly { type: string; url: string; count?: number }[]
  readonly error: readonly { type: string; url: string; count?: number }[]
}

/**
 * Renders the manifest.
 * @param base the tenant's public FHIR base, under which the file URLs stand
 * @param request the kick-off URL; for POST it has no parameters (T-173)
 */
export function manifestOf(
  job: { transactionTime: number; request: string; parts: readonly ManifestPart[] },
  base: string,
  profile: Profile,
): Manifest {
  const entries = (kind: ManifestPart['kind']) =>
    job.parts
      .filter((part) => part.kind === kind)
      .map((part) => ({
        type: part.type,
        url: `${base}/bulk-export/files/${part.id}`,
        ...(profile.manifestCounts ? { count: part.records } : {}),
      }))
  return {
    transactionTime: formatInstant(job.transactionTime),
    request: job.request,
    requiresAccessToken: true,
    output: entries('output'),
    error: entries('error'),
  }
}
