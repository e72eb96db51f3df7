import { formatInstant } from '../../fhir/instant.ts'
import { manifestFilesMax } from '../limits.ts'
import type { Profile } from '../profile.ts'
import type { ExportRequest } from '../request/export-request.ts'

/** One file of a completed job. `records`: of all its parts. */
export interface ListedFile {
  readonly id: string
  readonly kind: 'output' | 'deleted' | 'error'
  readonly type: string
  readonly records: number
  /** The patient whose block ends the file has more of it in the next one. */
  readonly continues: boolean
}

/** A completed job. `request` is the kick-off URL, without parameters for POST (T-173); files are in order. */
export interface ManifestJob {
  readonly id: string
  readonly transactionTime: number
  readonly url: string
  readonly request: Pick<ExportRequest, 'deletions' | 'organizedBy' | 'partialManifests'>
  readonly files: readonly ListedFile[]
}

interface ManifestFile {
  /** Absent where files are not of one type. */
  readonly type?: string
  readonly url: string
  readonly count?: number
  readonly continuesInFile?: string
}

/** The 200 answer of the status URL (IG "Response - Complete Status"). */
export interface Manifest {
  readonly transactionTime: string
  readonly request: string
  readonly requiresAccessToken: true
  readonly outputOrganizedBy?: 'Patient'
  readonly output: readonly ManifestFile[]
  /** What was deleted after `_since`. */
  readonly deleted?: readonly ManifestFile[]
  readonly error: readonly ManifestFile[]
  readonly link?: readonly [{ readonly relation: 'next'; readonly url: string }]
}

/**
 * Renders a manifest. Where several are allowed, each lists at most `manifestFilesMax` files of output and deletions and leads to
 * the next (D17); the `error` files stand in all of them, as the IG demands.
 * @param base the tenant's public FHIR base, under which the file URLs stand
 * @param page counted from 1
 * @returns undefined when there is no such page
 */
export function manifestOf(job: ManifestJob, base: string, profile: Profile, page = 1): Manifest | undefined {
  const { organizedBy, deletions, partialManifests } = job.request
  const data = job.files.filter(({ kind }) => kind !== 'error').sort(outputFirst)
  const pages = partialManifests ? Math.max(1, Math.ceil(data.length / manifestFilesMax)) : 1
  if (!(page >= 1 && page <= pages)) return undefined
  const listed = partialManifests ? data.slice((page - 1) * manifestFilesMax, page * manifestFilesMax) : data
  const urlOf = ({ id }: ListedFile) => `${base}/bulk-export/files/${id}`
  const listing = (files: readonly ListedFile[]) =>
    files.map((file) => ({
      ...(organizedBy === undefined ? { type: file.type } : {}),
      url: urlOf(file),
      ...(profile.manifestCounts ? { count: file.records } : {}),
      ...(file.continues ? { continuesInFile: urlOf(data[data.indexOf(file) + 1]!) } : {}),
    }))
  const next = `${base}/bulk-export/jobs/${job.id}?page=${page + 1}`
  return {
    transactionTime: formatInstant(job.transactionTime),
    request: job.url,
    requiresAccessToken: true,
    ...(organizedBy === undefined ? {} : { outputOrganizedBy: organizedBy }),
    output: listing(listed.filter(({ kind }) => kind === 'output')),
    ...(deletions ? { deleted: listing(listed.filter(({ kind }) => kind === 'deleted')) } : {}),
    error: listing(job.files.filter(({ kind }) => kind === 'error')),
    ...(page < pages ? { link: [{ relation: 'next', url: next }] as const } : {}),
  }
}

const outputFirst = (a: ListedFile, b: ListedFile): number =>
  Number(a.kind === 'deleted') - Number(b.kind === 'deleted')
