import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { DamagedFile, UnusableStore } from '../../files/file-store.ts'
import { DamagedPart } from '../../files/joined-content.ts'
import type { OwnedFile, StoredPart } from '../../jobs/published-file.ts'
import type { HttpContext } from '../context.ts'
import { storeLink } from './store-link.ts'

const part = { path: 'job/0-1/Patient-0.ndjson.gz', gzipBytes: 100, damaged: false } as StoredPart

/** A store that gives links which say what they were made of. */
const linking = {
  link: async (path: string, size: number, method: string, seconds: number) => `${method} ${path} ${size} ${seconds}`,
}

const asked = (parts: readonly StoredPart[], encoding: string | undefined, files: object = linking, method = 'GET') =>
  storeLink(
    { method, headers: { 'accept-encoding': encoding } } as FastifyRequest,
    { files } as HttpContext,
    { parts } as OwnedFile,
  )

test('a file that is one part is linked for who takes gzip, by the method that was asked with, for 300 s', async () => {
  assert.equal(await asked([part], 'gzip'), `GET ${part.path} 100 300`)
  assert.equal(await asked([part], '*', linking, 'HEAD'), `HEAD ${part.path} 100 300`)
})

test('what the store cannot hand out as it is asked for, the server sends', async () => {
  for (const encoding of [undefined, 'identity', 'br', 'gzip;q=0'])
    assert.equal(await asked([part], encoding), undefined)
  assert.equal(await asked([part, part], 'gzip'), undefined, 'a file of several parts')
  assert.equal(await asked([{ ...part, damaged: true }], 'gzip'), undefined, 'a damaged one')
  assert.equal(await asked([part], 'gzip', {}), undefined, 'a store without links')
})

test('damage is said of the part; a store that cannot be used is no damage', async () => {
  const failing = (error: Error) => ({ link: () => Promise.reject(error) })
  const damaged = await asked([part], 'gzip', failing(new DamagedFile('it is not there')))
  assert.ok(damaged instanceof DamagedPart && damaged.part === part)
  await assert.rejects(asked([part], 'gzip', failing(new UnusableStore('away', ''))), UnusableStore)
})
