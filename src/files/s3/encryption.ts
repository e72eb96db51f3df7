import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { S3Place } from './s3-url.ts'

/** The headers with which the store is told to encrypt what it is given. */
export function encryptionHeaders({
  encryption,
}: Pick<S3Place, 'encryption'>): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'> {
  if (!encryption) return {}
  const { algorithm, key } = encryption
  return { ServerSideEncryption: algorithm, ...(key === undefined ? {} : { SSEKMSKeyId: key }) }
}
