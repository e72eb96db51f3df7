import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { DamagedFile, type FileStore } from '../file-store.ts'
import { describeFileStore, write } from '../file-store-suite.fixture.ts'
import { gatewaySkipped } from './gateway.fixture.ts'
import { credentialsOf, type GatewayBucket, openBucket } from './gateway-bucket.fixture.ts'
import { s3Store } from './s3-store.ts'
import { parseS3Url } from './s3-url.ts'
import { pieceBytes } from './uploaded-file.ts'

const prefix = 'exports/of/us'
let bucket: GatewayBucket
let store: FileStore

before(async () => {
  if (gatewaySkipped) return
  Object.assign(process.env, credentialsOf('owner'))
  bucket = await openBucket()
  store = await s3Store(parseS3Url(`s3://${bucket.name}/${prefix}?endpoint=${bucket.endpoint}`), () => {})
})
after(() => bucket?.close())

const at = (path: string) => ({ Bucket: bucket.name, Key: `${prefix}/${path}` })

describeFileStore(
  'files in S3',
  () => ({
    store,
    remove: async (path) => void (await bucket.owner.send(new DeleteObjectCommand(at(path)))),
    replace: async (path, bytes) => void (await bucket.owner.send(new PutObjectCommand({ ...at(path), Body: bytes }))),
  }),
  gatewaySkipped,
)

describe('files in S3 alone', { skip: gatewaySkipped }, () => {
  for (const [size, parts] of [
    [1, undefined],
    [pieceBytes - 1, undefined],
    [pieceBytes, undefined],
    [pieceBytes + 1, 2],
    [2 * pieceBytes, 2],
    [2 * pieceBytes + 1, 3],
  ] as const) {
    it(`uploads ${size} bytes ${parts === undefined ? 'at once' : `in ${parts} pieces`}`, async () => {
      const path = `${randomUUID()}/0-1/Patient-0.ndjson.gz`
      await write(store, path, randomBytes(size))
      const head = await bucket.owner.send(new HeadObjectCommand(at(path)))
      assert.equal(head.ContentLength, size)
      const [, count] = /-(\d+)"$/.exec(head.ETag!) ?? []
      assert.equal(count, parts === undefined ? undefined : String(parts))
      assert.equal(head.ContentType, 'application/fhir+ndjson')
      assert.equal(head.ContentEncoding, 'gzip')
      assert.match(head.CacheControl!, /no-store/)
    })
  }

  const uploads = async (job: string) => {
    const list = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: `${prefix}/${job}` })
    return (await bucket.owner.send(list)).Uploads?.length ?? 0
  }

  for (const [what, sweep] of [
    ['with its attempt', (job: string) => store.removeAttempt(`${job}/0-1`)],
    ['with its job', (job: string) => store.removeJob(job)],
    ['when a later attempt is kept', (job: string) => store.keepOnly(job, [`${job}/0-2/Patient-0.ndjson.gz`])],
  ] as const) {
    it(`finds an upload that a dead worker has begun, and gives it up ${what}`, async () => {
      const job = randomUUID()
      await bucket.owner.send(new CreateMultipartUploadCommand(at(`${job}/0-1/Patient-0.ndjson.gz`)))
      assert.ok((await store.jobs()).includes(job))
      await sweep(job)
      assert.equal(await uploads(job), 0)
      assert.ok(!(await store.jobs()).includes(job))
    })
  }

  it('gives up an upload to a file that is whole', async () => {
    const path = `${randomUUID()}/0-2/Patient-0.ndjson.gz`
    await bucket.owner.send(new CreateMultipartUploadCommand(at(path)))
    await write(store, path, Buffer.from('whole'))
    const [job = ''] = path.split('/')
    await store.keepOnly(job, [path])
    assert.equal(await uploads(job), 0)
    ;(await store.read(path, { size: 5, crc: null })).destroy()
  })

  it('leaves an upload alone that a later attempt is at', async () => {
    const job = randomUUID()
    await bucket.owner.send(new CreateMultipartUploadCommand(at(`${job}/0-3/Patient-0.ndjson.gz`)))
    await store.keepOnly(job, [`${job}/0-2/Patient-0.ndjson.gz`])
    assert.equal(await uploads(job), 1)
  })

  it('gives links that need nothing else, of one method, and of whole files alone', async () => {
    const path = `${randomUUID()}/0-1/Patient-0.ndjson.gz`
    const bytes = randomBytes(100)
    await write(store, path, bytes)
    const link = await store.link!(path, 100, 'GET', 300)
    const answer = await fetch(link, { headers: { 'accept-encoding': 'identity', range: 'bytes=10-19' } }).catch(
      () => undefined,
    )
    assert.equal(answer?.status, 206)
    assert.equal(answer.headers.get('content-encoding'), 'gzip')
    await answer.body?.cancel()
    assert.equal((await fetch(link, { method: 'HEAD' })).status, 403)
    assert.equal((await fetch(link.replace('Patient', 'Group'))).status, 403)
    assert.equal((await fetch(await store.link!(path, 100, 'HEAD', 300), { method: 'HEAD' })).status, 200)
    assert.match(link, /X-Amz-Expires=300&/)
    await assert.rejects(store.link!(path, 99, 'GET', 300), DamagedFile)
    await assert.rejects(store.link!(path.replace('Patient', 'Group'), 99, 'GET', 300), DamagedFile)
  })

  it('gives no links where none are wanted', async () => {
    const place = parseS3Url(`s3://${bucket.name}/${prefix}?endpoint=${bucket.endpoint}&links=0`)
    assert.equal((await s3Store(place, () => {})).link, undefined)
  })
})
