import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { BreakableLink } from '../campaign/breakable-link.ts'
import { newTenant } from '../campaign/new-tenant.ts'
import { endsWithUs } from '../campaign/processes.ts'
import { program } from '../campaign/serve-process.ts'
import { openSite, type Site } from '../campaign/site.ts'

const records = 200
const pollMs = 200
/** Who waits for longer waits for ever. */
const waitMsMax = 100_000

describe('a load whose connection stalls in the middle of a COPY', () => {
  let folder: string
  let site: Site
  let token: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-stalled-'))
    site = await openSite('external', 1)
    token = await newTenant(site, 'clinic')
    const { status } = await ask('PUT', '/Patient/own', { resourceType: 'Patient', id: 'own' })
    assert.equal(status, 201)
    const lines = Array.from({ length: records }, (_, index) => `{"resourceType":"Patient","id":"p${index}"}`)
    await writeFile(join(folder, 'patients.ndjson'), `${lines.join('\n')}\n`)
  })
  after(async () => {
    await site.close()
    await rm(folder, { recursive: true })
  })

  function ask(method: string, path: string, body: unknown): Promise<Response> {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/fhir+json',
      'content-type': 'application/fhir+json',
      prefer: 'respond-async',
    }
    return fetch(`${site.servers[0]!.url}/r4/clinic${path}`, { method, headers, body: JSON.stringify(body) })
  }

  const parameter = [{ name: 'patient', valueReference: { reference: 'Patient/own' } }]
  const kickOff = async () => (await ask('POST', '/Patient/$export', { resourceType: 'Parameters', parameter })).status

  /** Starts a load on a link of its own, which carries the text of its first COPY, and nothing of what is copied. */
  async function stalledLoad(): Promise<{ load: ChildProcess; exit: Promise<unknown>; link: BreakableLink }> {
    const link = await BreakableLink.open(site.link!.port)
    const copied = link.sent('copy record ').then(() => link.stall())
    const store = ['--database-url', `postgresql://millrace@127.0.0.1:${link.port}/postgres`]
    const arguments_ = [program, 'load', ...store, '--tenant', 'clinic', join(folder, 'patients.ndjson')]
    const load = spawn(process.execPath, arguments_, { stdio: 'ignore' })
    endsWithUs(load)
    const exit = once(load, 'exit')
    await copied
    await until(async () => (await copying()) > 0)
    return { load, exit, link }
  }

  async function copying(): Promise<number> {
    const sql = `select from pg_stat_activity where query like 'copy record %' and wait_event = 'ClientRead' and state = 'active'`
    return (await site.pool.query(sql)).rowCount ?? 0
  }

  it('is given up by a database that is there, also if the load is paused too, and exports go on', async () => {
    const { load, exit, link } = await stalledLoad()
    load.kill('SIGSTOP')
    assert.equal(await kickOff(), 503)
    await until(async () => (await copying()) === 0)
    assert.equal(await kickOff(), 202)
    await link.close()
    load.kill('SIGCONT')
    await exit
    assert.notEqual(load.exitCode, 0)
  })

  it('is given up by the load itself, which ends and says so by its exit code', async () => {
    const { load, exit, link } = await stalledLoad()
    await exit
    assert.notEqual(load.exitCode, 0)
    await link.close()
  })
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + waitMsMax
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'what is waited for does not come')
    await pause(pollMs)
  }
}
