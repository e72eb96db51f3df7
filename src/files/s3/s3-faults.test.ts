import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { certificateOne } from '../../../test/certificates.ts'
import { Failure } from '../../failure.ts'
import { DamagedFile, type FileStore, UnusableStore } from '../file-store.ts'
import { write } from '../file-store-suite.fixture.ts'
import { type Fault, FaultyStore, type Operation, slowDown } from './faulty-store.fixture.ts'
import { gatewaySkipped } from './gateway.fixture.ts'
import { credentialsOf, type GatewayBucket, openBucket } from './gateway-bucket.fixture.ts'
import { checkAccess } from './s3-access.ts'
import { s3Store } from './s3-store.ts'
import { parseS3Url } from './s3-url.ts'
import { pieceBytes } from './uploaded-file.ts'

/** More than the SDK tries by itself. */
const failures = 4
const large = randomBytes(2 * pieceBytes + 1)
const small = large.subarray(0, 1_000)

describe('an S3 of which requests go wrong', { skip: gatewaySkipped }, () => {
  let bucket: GatewayBucket
  let faulty: FaultyStore
  let store: FileStore
  let told: UnusableStore[]

  before(async () => {
    Object.assign(process.env, credentialsOf('owner'))
    bucket = await openBucket()
    faulty = await FaultyStore.open(bucket.endpoint)
  })
  after(async () => {
    await faulty?.close()
    bucket?.close()
  })
  beforeEach(async () => {
    Object.assign(process.env, credentialsOf('owner'))
    faulty.heal()
    told = []
    store = await s3Store(place(), (fault) => told.push(fault))
  })

  const place = (more = '', name = bucket.name, endpoint = faulty.endpoint) =>
    parseS3Url(`s3://${name}/of?endpoint=${endpoint}${more}`)
  const newPath = () => `${randomUUID()}/0-1/Patient-0.ndjson.gz`
  const at = (path: string) => ({ Bucket: bucket.name, Key: `of/${path}` })
  const uploads = async (path: string) => {
    const list = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: `of/${path}` })
    return (await bucket.owner.send(list)).Uploads?.length ?? 0
  }

  const ways: readonly (readonly [string, Fault])[] = [
    ['answered 503 SlowDown', slowDown],
    ['answered 500 InternalError', { kind: 'answered', status: 500, code: 'InternalError' }],
    ['cut off', { kind: 'cut' }],
    ['done, and their answers lost', { kind: 'lost' }],
  ]
  const writes: readonly (readonly [Operation, Buffer])[] = [
    ['PutObject', small],
    ['CreateMultipartUpload', large],
    ['UploadPart', large],
    ['CompleteMultipartUpload', large],
  ]
  for (const [operation, bytes] of writes) {
    for (const [how, fault] of ways) {
      it(`writes a file whole when ${failures} ${operation} are ${how}`, async () => {
        const path = newPath()
        faulty.failNext(operation, fault, failures)
        await write(store, path, bytes)
        assert.ok(bytes.equals(await buffer(await store.read(path, { size: bytes.length, crc: null }))))
        assert.deepEqual([...new Set(told.map(({ trouble }) => trouble))], ['away'])
        await store.keepOnly(path.split('/')[0]!, [path])
        await store.removeJob(path.split('/')[0]!)
        assert.equal(await uploads(path), 0)
      })
    }
  }

  it('says so when files cannot be removed, and removes them when they can', async () => {
    const job = newPath().split('/')[0]!
    const paths = [0, 1, 2].map((n) => `${job}/${n}-1/Patient-0.ndjson.gz`)
    for (const path of paths) await write(store, path, small)
    const denied: Fault = { kind: 'answered', status: 403, code: 'AccessDenied' }
    faulty.fault = (operation) => (operation === 'DeleteObject' ? denied : undefined)
    const isDenied = (error: unknown) => error instanceof UnusableStore && error.trouble === 'denied'
    for (const remove of [() => store.removeJob(job), () => store.removeAttempt(`${job}/0-1`)])
      await assert.rejects(remove, isDenied)
    faulty.heal()
    await store.removeJob(job)
    for (const path of paths) await assert.rejects(store.read(path, { size: small.length, crc: null }), DamagedFile)
  })

  const forgotten: Fault = { kind: 'answered', status: 404, code: 'NoSuchUpload' }

  it('takes an upload for ended that the store knows no more, if the object is there', async () => {
    const path = newPath()
    const faults: Fault[] = [{ kind: 'lost' }, forgotten]
    faulty.fault = (operation) => (operation === 'CompleteMultipartUpload' ? faults.shift() : undefined)
    await write(store, path, large)
    assert.deepEqual(faults, [])
    assert.ok(large.equals(await buffer(await store.read(path, { size: large.length, crc: null }))))
  })

  it('does not, if the object is not there or is another one', async () => {
    const path = newPath()
    faulty.fault = (operation) => (operation === 'CompleteMultipartUpload' ? forgotten : undefined)
    const isSo = (error: unknown) => error instanceof UnusableStore && /NoSuchUpload/.test(error.message)
    await assert.rejects(write(store, path, large), isSo)
    await bucket.owner.send(new PutObjectCommand({ ...at(path), Body: small }))
    await assert.rejects(write(store, path, large), isSo)
  })

  it('an upload that is given up while nothing comes ends at once, and is not there', async () => {
    const path = newPath()
    faulty.fault = (operation) => (operation === 'UploadPart' ? { kind: 'silent' } : undefined)
    const file = await store.create(path)
    file.on('error', () => {})
    const closed = new Promise((resolve) => file.once('close', resolve))
    for (let sent = 0; sent < large.length; sent += 256 * 1024) file.write(large.subarray(sent, sent + 256 * 1024))
    while (!faulty.asked.includes('UploadPart')) await new Promise((resolve) => setImmediate(resolve))
    file.destroy()
    await closed
    faulty.heal()
    await store.removeAttempt(path.split('/').slice(0, 2).join('/'))
    assert.equal(await uploads(path), 0)
    await assert.rejects(store.read(path, { size: large.length, crc: null }), DamagedFile)
  })

  it('reads on where what is sent breaks off, again and again', async () => {
    const path = newPath()
    await write(store, path, large)
    faulty.asked.length = 0
    const bytes = 3_000_000
    faulty.fault = (operation) => (operation === 'GetObject' ? { kind: 'cut off', bytes } : undefined)
    assert.ok(large.equals(await buffer(await store.read(path, { size: large.length, crc: null }))))
    assert.ok(faulty.asked.filter((operation) => operation === 'GetObject').length >= large.length / bytes)
    const range = await buffer(
      await store.read(path, { size: large.length, crc: null }, { start: 1_000, end: 9_000_000 }),
    )
    assert.ok(range.equals(large.subarray(1_000, 9_000_001)))
  })

  for (const [empty, works] of [
    [4, true],
    [5, false],
  ] as const) {
    it(`of ${empty} answers without a byte, one after the other, the reader ${works ? 'knows nothing' : 'is told'}`, async () => {
      const path = newPath()
      await write(store, path, small)
      faulty.failNext('GetObject', { kind: 'cut off', bytes: 0 }, empty)
      const read = store.read(path, { size: small.length, crc: null }).then((bytes) => buffer(bytes))
      if (works) assert.ok(small.equals(await read))
      else await assert.rejects(read, UnusableStore)
    })
  }

  it('never joins the bytes of an object to those of another one that took its place', async () => {
    const path = newPath()
    await write(store, path, large)
    faulty.failNext('GetObject', { kind: 'cut off', bytes: 3_000_000 }, 1)
    const bytes = await store.read(path, { size: large.length, crc: null })
    await bucket.owner.send(new PutObjectCommand({ ...at(path), Body: randomBytes(large.length) }))
    await assert.rejects(buffer(bytes), new DamagedFile('another one was put in its place'))
  })

  it('whoever waits for an answer of a silent store is told so in time', async () => {
    const path = newPath()
    await write(store, path, small)
    faulty.fault = () => ({ kind: 'silent' })
    const isLate = (error: unknown) => error instanceof UnusableStore && /has not answered for 10 s/.test(error.message)
    await assert.rejects(store.read(path, { size: small.length, crc: null }), isLate)
    assert.equal(told.length, 1)
  })

  const lasting: readonly (readonly [string, Fault, UnusableStore['trouble']])[] = [
    ['403 AccessDenied', { kind: 'answered', status: 403, code: 'AccessDenied' }, 'denied'],
    ['403 InvalidAccessKeyId', { kind: 'answered', status: 403, code: 'InvalidAccessKeyId' }, 'credentials'],
    ['404 NoSuchBucket', { kind: 'answered', status: 404, code: 'NoSuchBucket' }, 'bucket'],
    ['403 QuotaExceeded', { kind: 'answered', status: 403, code: 'QuotaExceeded' }, 'room'],
    ['501 NotImplemented', { kind: 'answered', status: 501, code: 'NotImplemented' }, 'refused'],
    ['400 InvalidArgument', { kind: 'answered', status: 400, code: 'InvalidArgument' }, 'refused'],
  ]
  for (const [how, fault, trouble] of lasting) {
    it(`does not wait when it is answered ${how}: that is not for time to mend`, async () => {
      const isSo = (error: unknown) => error instanceof UnusableStore && error.trouble === trouble
      faulty.asked.length = 0
      faulty.fault = () => fault
      await assert.rejects(write(store, newPath(), small), isSo)
      await assert.rejects(store.read(newPath(), { size: 3, crc: null }), isSo)
      await assert.rejects(store.link!(newPath(), 3, 'GET', 300), isSo)
      await assert.rejects(store.jobs(), isSo)
      await assert.rejects(store.removeJob(randomUUID()), isSo)
      assert.equal(faulty.asked.length, 5)
    })
  }

  it('a clock that is wrong by an hour is set right by what the store says, also for links', async (t) => {
    // The clock of a machine cannot be set for one test alone.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 })
    const path = newPath()
    await write(store, path, small)
    const answer = await fetch(await store.link!(path, small.length, 'HEAD', 300), { method: 'HEAD' })
    assert.equal(answer.status, 200)
  })

  it('what is stored is encrypted with the key that is named, small and large, and read and linked as ever', async () => {
    const encrypted = await s3Store(place('&encryption=aws:kms&kms-key=testkey-1'), () => {})
    for (const bytes of [small, large]) {
      const path = newPath()
      await write(encrypted, path, bytes)
      const { ServerSideEncryption, SSEKMSKeyId } = await bucket.owner.send(new HeadObjectCommand(at(path)))
      assert.deepEqual([ServerSideEncryption, SSEKMSKeyId], ['aws:kms', 'testkey-1'])
      assert.ok(bytes.equals(await buffer(await encrypted.read(path, { size: bytes.length, crc: null }))))
      const link = await encrypted.link!(path, bytes.length, 'HEAD', 300)
      assert.equal((await fetch(link, { method: 'HEAD' })).status, 200)
    }
  })

  it('signs links for the endpoint that clients reach', async () => {
    const path = newPath()
    await write(store, path, small)
    const linked = await s3Store(place(`&link-endpoint=${bucket.endpoint}`), () => {})
    const link = await linked.link!(path, small.length, 'HEAD', 300)
    assert.ok(link.startsWith(bucket.endpoint))
    assert.equal((await fetch(link, { method: 'HEAD' })).status, 200)
  })

  describe('the look at the start', () => {
    const refused = async (asked: ReturnType<typeof parseS3Url>, ...says: readonly RegExp[]) => {
      await assert.rejects(checkAccess(asked), (error: unknown) => {
        assert.ok(error instanceof Failure, String(error))
        for (const each of says) assert.match(`${error.message} ${error.advice}`, each)
        return true
      })
    }

    it('leaves nothing behind, and tells of a bucket that keeps what is deleted', async () => {
      assert.deepEqual(await checkAccess(place()), { keepsDeleted: false })
      const versioned = await openBucket()
      const VersioningConfiguration = { Status: 'Enabled' } as const
      await versioned.owner.send(new PutBucketVersioningCommand({ Bucket: versioned.name, VersioningConfiguration }))
      assert.deepEqual(await checkAccess(place('', versioned.name)), { keepsDeleted: true })
      versioned.close()
    })

    it('names the bucket that is not there, and the credentials that are not known', async () => {
      await refused(place('', 'nobody-has-made-it'), /s3:\/\/nobody-has-made-it\/of\/: NoSuchBucket/, /Make the bucket/)
      process.env.AWS_SECRET_ACCESS_KEY = 'another'
      await refused(place(), /SignatureDoesNotMatch/, /credentials/)
    })

    it('names all rights that are missing', async () => {
      Object.assign(process.env, credentialsOf('guest'))
      await refused(place(), /s3:ListBucket, s3:PutObject, s3:DeleteObject/, /Allow it/)
      const allowed = ['s3:ListBucket', 's3:PutObject', 's3:GetObject', 's3:ListBucketMultipartUploads']
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: [`arn:aws:iam:::user/guest`] },
            Action: allowed,
            Resource: [`arn:aws:s3:::${bucket.name}`, `arn:aws:s3:::${bucket.name}/*`],
          },
        ],
      })
      await bucket.owner.send(new PutBucketPolicyCommand({ Bucket: bucket.name, Policy }))
      await refused(place(), /it does not allow s3:AbortMultipartUpload, s3:DeleteObject\./)
    })

    it('says that the store cannot be reached', async () => {
      faulty.fault = () => ({ kind: 'cut' })
      await refused(place(), /cannot be kept/, /runs and can be reached/)
    })

    it('trusts the authorities of `ca` alone', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'millrace-ca-'))
      const ca = join(directory, 'ca.pem')
      await writeFile(ca, certificateOne.cert)
      const secure = await FaultyStore.open(bucket.endpoint, certificateOne)
      await checkAccess(place(`&ca=${ca}`, bucket.name, secure.endpoint))
      await refused(place('', bucket.name, secure.endpoint), /DEPTH_ZERO_SELF_SIGNED_CERT/, /ca/)
      await refused(place(`&ca=${ca}x`), /ca.pemx.*ENOENT/)
      await secure.close()
      await rm(directory, { recursive: true })
    })
  })
})
