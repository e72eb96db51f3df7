import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { gatewayUsers } from './ceph-cluster.fixture.ts'
import { type Gateway, holdGateway } from './gateway.fixture.ts'

/** A bucket of a test's own, and the hands of its owner. */
export interface GatewayBucket {
  readonly endpoint: string
  readonly name: string
  readonly owner: S3Client
  readonly close: () => void
}

/** Who a process is that takes its credentials from its environment. */
export const credentialsOf = (who: keyof typeof gatewayUsers) => ({
  AWS_ACCESS_KEY_ID: gatewayUsers[who].accessKeyId,
  AWS_SECRET_ACCESS_KEY: gatewayUsers[who].secretAccessKey,
})

export async function openBucket(): Promise<GatewayBucket> {
  const gateway = await holdGateway()
  const name = `test-${randomUUID()}`
  const owner = ownerOf(gateway)
  await owner.send(new CreateBucketCommand({ Bucket: name }))
  return {
    endpoint: gateway.endpoint,
    name,
    owner,
    close: () => {
      owner.destroy()
      gateway.release()
    },
  }
}

const ownerOf = ({ endpoint }: Pick<Gateway, 'endpoint'>): S3Client =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: gatewayUsers.owner,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
