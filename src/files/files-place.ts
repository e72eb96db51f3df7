import { DiskFloor, type Shortage } from './disk-floor.ts'
import { diskStore } from './disk-store.ts'
import type { FileStore, UnusableStore } from './file-store.ts'
import type { S3Place } from './s3/s3-url.ts'

/** Where the files of a store lie, as every thread is told. */
export type FilesPlace = DiskPlace | S3Place

interface DiskPlace {
  readonly kind: 'disk'
  readonly directory: string
  /** Whose disks must have so many bytes free. */
  readonly floor: { readonly directories: readonly string[]; readonly bytes: number }
}

/** What an operator hears, once in a while: that the disk is short, that S3 cannot be used. */
export interface FilesTold {
  readonly short: (shortage: Shortage) => void
  readonly unusable: (trouble: TroubleTold) => void
}

/** Trouble for the log. */
interface TroubleTold {
  readonly trouble: UnusableStore['trouble']
  readonly reason: string
}

/** Opens the store of files. What S3 needs is loaded only where files lie there: it would make every start longer. */
export async function openFiles(place: FilesPlace, told: FilesTold): Promise<FileStore> {
  if (place.kind === 'disk') return openDisk(place, told.short)
  const { s3Store } = await import('./s3/s3-store.ts')
  return s3Store(place, ({ trouble, message }) => told.unusable({ trouble, reason: message }))
}

/**
 * Looks at the start whether files can be kept where they are to lie.
 * @param warn hears of what is no hindrance
 * @throws Failure
 */
export async function checkFiles(place: FilesPlace, warn: (text: string) => void): Promise<void> {
  if (place.kind === 'disk') return
  const { checkAccess } = await import('./s3/s3-access.ts')
  const { keepsDeleted } = await checkAccess(place)
  if (keepsDeleted) warn('the bucket keeps versions: files of exports stay in it after they are deleted')
}

/** For who asks about room and nothing else. S3 has its own, and refuses by itself what it has none for. */
export function openRoom(place: FilesPlace, short: FilesTold['short']): Pick<FileStore, 'lacksRoom'> {
  if (place.kind === 's3') return { lacksRoom: async () => false }
  return openDisk(place, short)
}

const openDisk = ({ directory, floor }: DiskPlace, short: FilesTold['short']): FileStore =>
  diskStore(directory, new DiskFloor(floor.directories, floor.bytes, short))
