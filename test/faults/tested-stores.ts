import { access, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { storeId } from '../../src/database/setting.ts'
import { gatewaySkipped } from '../../src/files/s3/gateway.fixture.ts'
import { credentialsOf, openBucket } from '../../src/files/s3/gateway-bucket.fixture.ts'
import type { TestServer } from '../server.ts'

/** The hands of somebody who damages what lies in a store of files. Paths are those of parts. */
export interface StoredFiles {
  readonly read: (path: string) => Promise<Buffer>
  readonly write: (path: string, bytes: Buffer) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  readonly has: (path: string) => Promise<boolean>
}

/** A kind of store that servers are tested with. */
export interface TestedStore {
  readonly name: string
  readonly skip: string | false
  readonly open: () => Promise<{
    readonly flags: readonly string[]
    readonly filesOf: (server: TestServer) => Promise<StoredFiles>
    readonly close: () => void
  }>
}

const then = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false,
  )

function onDisk(folder: string): StoredFiles {
  const at = (path: string) => join(folder, path)
  return {
    read: (path) => readFile(at(path)),
    write: (path, bytes) => writeFile(at(path), bytes),
    remove: (path) => rm(at(path)),
    has: (path) => then(access(at(path))),
  }
}

function inS3(owner: S3Client, Bucket: string, prefix: string): StoredFiles {
  const at = (path: string) => ({ Bucket, Key: `${prefix}/${path}` })
  return {
    read: async (path) => buffer((await owner.send(new GetObjectCommand(at(path)))).Body as Readable),
    write: async (path, bytes) => {
      await owner.send(new PutObjectCommand({ ...at(path), Body: bytes }))
    },
    remove: async (path) => {
      await owner.send(new DeleteObjectCommand(at(path)))
    },
    has: (path) => then(owner.send(new HeadObjectCommand(at(path)))),
  }
}

/** Every kind. In S3 files are handed out by the server here, so that it sees all of their bytes as it does on disk. */
export const testedStores: readonly TestedStore[] = [
  {
    name: 'on disk',
    skip: false,
    open: async () => ({
      flags: [],
      filesOf: async (server) => onDisk(await server.filesFolder()),
      close: () => {},
    }),
  },
  {
    name: 'in S3',
    skip: gatewaySkipped,
    open: async () => {
      Object.assign(process.env, credentialsOf('owner'))
      const { name, endpoint, owner, close } = await openBucket()
      return {
        flags: ['--files', `s3://${name}?endpoint=${endpoint}&links=0`],
        filesOf: async (server) => inS3(owner, name, await storeId(server.pool)),
        close,
      }
    },
  },
]
