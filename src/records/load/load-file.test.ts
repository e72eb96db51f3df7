import assert from 'node:assert/strict'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, mock } from 'node:test'
import { Pool } from 'pg'
import { Failure } from '../../failure.ts'
import { load } from './load.ts'
import type { LoadFault } from './load-tally.ts'
import { bundleOf } from './loading.fixture.ts'
import { findSourceFiles } from './source/source-files.ts'

const failing = (code: string) => async () => {
  throw Object.assign(new Error(`it failed: ${code}`), { code })
}

describe('what goes wrong while a file is loaded is no fault of the file', () => {
  let directory: string
  const faults: LoadFault[] = []
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-load-file-'))
  })
  after(async () => {
    mock.restoreAll()
    await rm(directory, { recursive: true })
    assert.deepEqual(faults, [])
  })

  async function loading(name: string, resource: object): Promise<void> {
    await writeFile(join(directory, name), JSON.stringify(resource))
    const { files } = await findSourceFiles([join(directory, name)])
    const pool = new Pool()
    for (const method of ['query', 'connect'] as const) mock.method(pool, method, failing('ECONNRESET'))
    const report = { onBytes: () => {}, onBatch: () => {}, onFault: (fault: LoadFault) => faults.push(fault) }
    await load(pool, 't', files, { bases: [], keepLastUpdated: false }, report)
  }

  it('a database that is gone', async () => {
    const bundle = bundleOf('transaction', {
      resource: { resourceType: 'Patient', identifier: [{ system: 's', value: '1' }] },
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=s|1' },
    })
    await assert.rejects(loading('a.json', bundle), { code: 'ECONNRESET' })
  })

  it('a disk that has no room for what waits', async () => {
    const handle = await open(devNull)
    mock.method(Object.getPrototypeOf(handle), 'write', failing('ENOSPC'))
    await handle.close()
    const waiting = {
      resourceType: 'Patient',
      id: 'p',
      text: { div: 'x'.repeat(2_000_000) },
      link: [{ other: { reference: 'Patient?identifier=s|1' } }],
    }
    await assert.rejects(loading('b.json', waiting), (error) => {
      assert.ok(error instanceof Failure)
      assert.match(error.message, /temporary file of the load cannot be written \(ENOSPC\)/)
      assert.match(error.advice, /TMPDIR/)
      return true
    })
  })
})
