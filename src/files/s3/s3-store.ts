import type { Readable } from 'node:stream'
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { ByteRange } from '../byte-range.ts'
import { CheckedFiles } from '../checked-files.ts'
import { attemptFolder, comparedWith, filePath, isJobFolder, jobFolder } from '../file-path.ts'
import { DamagedFile, type FileStore } from '../file-store.ts'
import { Bucket, type TellTrouble } from './bucket.ts'
import { LastLook } from './last-look.ts'
import { objectBytes, seen } from './object-bytes.ts'
import type { S3Place } from './s3-url.ts'
import { type Found, removeBelow, sweeping, topFolders } from './swept-objects.ts'
import { UploadedFile } from './uploaded-file.ts'

/**
 * Keeps files as objects of a bucket, below a prefix.
 * @param tell hears of a store that cannot be used, once in a while
 */
export async function s3Store(place: S3Place, tell: TellTrouble): Promise<FileStore> {
  return storeOf(await Bucket.open(place, tell))
}

function storeOf(bucket: Bucket): FileStore {
  const lastLook = new LastLook(bucket)
  const checked = new CheckedFiles()
  return {
    // Who runs the store sees to its room; what is refused for want of it is told like all trouble.
    lacksRoom: async () => false,
    trouble: () => lastLook.trouble,
    create: async (path) => new UploadedFile(bucket, filePath(path)),
    read: async (path, { size, crc }, range) => {
      const read = (etag?: string, part?: ByteRange) => objectBytes(bucket, filePath(path), size, part, etag)
      if (!range || crc === null) return read(undefined, range)
      const { etag } = await seen(bucket, filePath(path))
      await checked.insist(path, `${etag} ${size}`, crc, () => piecesOf(() => read(etag)))
      return read(etag, range)
    },
    ...(bucket.place.links
      ? { link: (path, size, method, seconds) => linkTo(bucket, filePath(path), size, method, seconds) }
      : {}),
    removeAttempt: async (folder) => {
      const below = `${attemptFolder(folder)}/`
      await sweeping(bucket, () => removeBelow(bucket, below))
    },
    keepOnly: async (job, paths) => {
      const placeOf = comparedWith(paths)
      const below = `${jobFolder(job)}/`
      // An upload to files that are whole is one whose begin the worker has not heard of.
      const isLeft = ({ path, uploadId }: Found) => {
        const place = placeOf(path.split('/')[1]!)
        return place === 'before' || (place === 'same' && uploadId !== undefined)
      }
      await sweeping(bucket, () => removeBelow(bucket, below, isLeft))
    },
    jobs: async () => [...(await sweeping(bucket, topFolders))].filter(isJobFolder),
    removeJob: async (job) => {
      const below = `${jobFolder(job)}/`
      await sweeping(bucket, () => removeBelow(bucket, below))
    },
  }
}

async function* piecesOf(read: () => Promise<Readable>): AsyncGenerator<Buffer> {
  yield* await read()
}

async function linkTo(
  bucket: Bucket,
  path: string,
  size: number,
  method: 'GET' | 'HEAD',
  seconds: number,
): Promise<string> {
  const { size: found } = await seen(bucket, path)
  if (found !== size) throw new DamagedFile(`it has ${found} bytes and not ${size}`)
  const { linkClient } = bucket
  const at = bucket.at(path)
  const command = method === 'GET' ? new GetObjectCommand(at) : new HeadObjectCommand(at)
  // The store that has just answered has shown whether our clock is right.
  const signingDate = new Date(Date.now() + (bucket.client.config.systemClockOffset ?? 0))
  return getSignedUrl(linkClient, command, { expiresIn: seconds, signingDate })
}
