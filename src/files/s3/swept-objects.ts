import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import type { Bucket } from './bucket.ts'
import { faultOf } from './s3-fault.ts'

/** Requests that remove something at a time. */
const removalsMax = 8

/** What lies in a bucket, or is being uploaded to it. */
export interface Found {
  readonly path: string
  /** Of an upload that has not ended. */
  readonly uploadId?: string
}

/** Removes all that lies below a folder, and all uploads to it that were never ended. @param chosen not all of it */
export async function removeBelow(
  bucket: Bucket,
  folder: string,
  chosen: (found: Found) => boolean = () => true,
): Promise<void> {
  const failures: unknown[] = []
  // A removal may fail while the next page is waited for: nobody listens to it then.
  const removed = (found: Found) => remove(bucket, found).catch((error) => void failures.push(error))
  let going: Promise<unknown>[] = []
  try {
    for await (const found of foundBelow(bucket, folder)) {
      if (!chosen(found)) continue
      going.push(removed(found))
      if (going.length < removalsMax) continue
      await Promise.all(going)
      going = []
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(going)
  }
  if (failures.length > 0) throw failures[0]
}

/** The folders that lie directly in the prefix, also those in which there is nothing yet but uploads. */
export async function topFolders(bucket: Bucket): Promise<Set<string>> {
  const folders = new Set<string>()
  for await (const { CommonPrefixes = [] } of objectPages(bucket, '', '/')) {
    for (const { Prefix = '' } of CommonPrefixes) folders.add(bucket.pathOf(Prefix).slice(0, -1))
  }
  for await (const { path } of uploadsBelow(bucket, '')) folders.add(path.split('/')[0]!)
  return folders
}

async function* foundBelow(bucket: Bucket, folder: string): AsyncGenerator<Found> {
  for await (const { Contents = [] } of objectPages(bucket, folder)) {
    for (const { Key = '' } of Contents) yield { path: bucket.pathOf(Key) }
  }
  yield* uploadsBelow(bucket, folder)
}

async function* objectPages(bucket: Bucket, folder: string, Delimiter?: string) {
  const { Bucket: name, Key: Prefix } = bucket.at(folder)
  let ContinuationToken: string | undefined
  do {
    const list = new ListObjectsV2Command({
      Bucket: name,
      Prefix,
      ...(Delimiter === undefined ? {} : { Delimiter }),
      ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
    })
    const page = await bucket.client.send(list)
    yield page
    ContinuationToken = page.NextContinuationToken
  } while (ContinuationToken !== undefined)
}

async function* uploadsBelow(bucket: Bucket, folder: string): AsyncGenerator<Found> {
  const { Bucket: name, Key: Prefix } = bucket.at(folder)
  let next: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined
  do {
    const list = new ListMultipartUploadsCommand({ Bucket: name, Prefix, ...next })
    const { Uploads = [], IsTruncated, NextKeyMarker = '', NextUploadIdMarker = '' } = await bucket.client.send(list)
    for (const { Key = '', UploadId = '' } of Uploads) yield { path: bucket.pathOf(Key), uploadId: UploadId }
    next = IsTruncated ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : undefined
  } while (next)
}

/** What has gone meanwhile is as it should be. */
async function remove(bucket: Bucket, { path, uploadId: UploadId }: Found): Promise<void> {
  const at = bucket.at(path)
  if (UploadId === undefined) {
    await bucket.client.send(new DeleteObjectCommand(at))
    return
  }
  await bucket.client.send(new AbortMultipartUploadCommand({ ...at, UploadId })).catch((error) => {
    if (error.name !== 'NoSuchUpload') throw error
  })
}

/** What the store says becomes what it means. Nobody waits: whoever removes comes again. */
export async function sweeping<T>(bucket: Bucket, work: (bucket: Bucket) => Promise<T>): Promise<T> {
  try {
    return await work(bucket)
  } catch (error) {
    throw faultOf(error)
  }
}
