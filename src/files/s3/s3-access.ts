import { randomUUID } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { Failure } from '../../failure.ts'
import { type StoreTrouble, UnusableStore } from '../file-store.ts'
import { Bucket, type Sent } from './bucket.ts'
import { encryptionHeaders } from './encryption.ts'
import { placeName, type S3Place } from './s3-url.ts'

const advice: Readonly<Record<StoreTrouble, string>> = {
  away: 'See that the store runs and can be reached, and that the endpoint of --files is right.',
  credentials:
    'Give the server credentials where the AWS SDK looks for them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
  denied: 'Allow it to the user whose credentials the server has.',
  clock: "Set the server's clock.",
  bucket: 'Make the bucket, or name another one in --files.',
  room: 'Make room in the store.',
  refused: 'Look at region, endpoint, path-style, ca and encryption in --files.',
}

/** What was found beside access. */
export interface Access {
  /** The bucket keeps what is deleted in it as a version. */
  readonly keepsDeleted: boolean
}

/**
 * Does at the start what exports and downloads will do, with an object of its own.
 * @throws Failure that names all that the server may not do
 */
export async function checkAccess(place: S3Place): Promise<Access> {
  const bucket = await Bucket.open(place, () => {})
  const denied: string[] = []
  const step: Step = async (right, ask) => {
    try {
      return await bucket.askSoon(ask)
    } catch (error) {
      if (!(error instanceof UnusableStore && error.trouble === 'denied')) throw failureOf(place, error)
      denied.push(right)
      return undefined
    }
  }
  try {
    const deleted = await triedRights(bucket, step)
    if (denied.length > 0) throw failureOf(place, new UnusableStore('denied', `it does not allow ${denied.join(', ')}`))
    return { keepsDeleted: deleted?.VersionId !== undefined || deleted?.DeleteMarker === true }
  } finally {
    bucket.client.destroy()
  }
}

type Step = <T>(right: string, ask: (sent: Sent) => Promise<T>) => Promise<T | undefined>

/** Uses each right once, and removes what that has made, also where a step fails. */
async function triedRights(bucket: Bucket, step: Step) {
  const { client, place } = bucket
  const at = bucket.at(`access-${randomUUID()}`)
  const below = { Bucket: at.Bucket, Prefix: place.prefix }
  const encryption = encryptionHeaders(place)
  let UploadId: string | undefined
  const abort = () => client.send(new AbortMultipartUploadCommand({ ...at, UploadId }))
  try {
    await step('s3:ListBucket', (sent) => client.send(new ListObjectsV2Command({ ...below, MaxKeys: 1 }), sent))
    const put = await step('s3:PutObject', (sent) =>
      client.send(new PutObjectCommand({ ...at, ...encryption, Body: 'x' }), sent),
    )
    if (put) {
      await step('s3:GetObject', (sent) => client.send(new GetObjectCommand({ ...at, Range: 'bytes=0-0' }), sent))
      const begun = new CreateMultipartUploadCommand({ ...at, ...encryption })
      UploadId = (await step('s3:PutObject of several parts', (sent) => client.send(begun, sent)))?.UploadId
      await step('s3:ListBucketMultipartUploads', (sent) => client.send(new ListMultipartUploadsCommand(below), sent))
      if (UploadId !== undefined)
        await step('s3:AbortMultipartUpload', (sent) =>
          client.send(new AbortMultipartUploadCommand({ ...at, UploadId }), sent),
        )
    }
  } catch (error) {
    const left = [client.send(new DeleteObjectCommand(at)), ...(UploadId === undefined ? [] : [abort()])]
    await Promise.allSettled(left)
    throw error
  }
  // An object that is not there is deleted with the same right.
  return step('s3:DeleteObject', (sent) => client.send(new DeleteObjectCommand(at), sent))
}

/** Without its cause: who starts a server would take that for a database that goes away, and begin again. */
function failureOf(place: S3Place, fault: unknown): Failure {
  const trouble = fault instanceof UnusableStore ? fault.trouble : 'refused'
  const reason = (fault as Error).message.replace(/\.$/, '')
  return new Failure(`The files of exports cannot be kept in ${placeName(place)}: ${reason}.`, advice[trouble])
}
