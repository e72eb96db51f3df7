import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { draftOf } from '../src/records/draft.ts'
import { storeDrafts } from '../src/records/load/store-drafts.ts'
import { outdatedTenants } from '../src/records/rules/outdated-tenants.ts'
import { TestServer } from './server.ts'

const pollMs = 50

let server: TestServer
before(async () => {
  server = await TestServer.start()
  await server.addTenant('commons', 'hl7')
  await server.addTenant('clinic')
  await server.addTenant('young', 'hl7')
})
after(() => server?.stop())

test('a store of a former version: hl7 exports wait until records have their owners, millennium has the same as ever', async () => {
  for (const tenant of ['commons', 'clinic', 'young']) {
    const sources = [
      '{"resourceType":"Patient","id":"p"}',
      '{"resourceType":"Claim","id":"c","patient":{"reference":"Patient/p"}}',
    ]
    const drafts = sources.map((source) => draftOf(source, [])).filter((draft) => 'text' in draft)
    await storeDrafts(server.pool, tenant, drafts, false, () => {})
  }
  await server.pool.query(`update record set owner = '' where type = 'Claim' and tenant <> 'young'`)
  await server.pool.query(`insert into outdated_tenant (tenant) values ('commons'), ('clinic')`)
  const [hl7, oracle] = [await kickOff('commons'), await kickOff('clinic')]
  assert.deepEqual([hl7.status, oracle.status], [503, 202])
  assert.equal((await kickOff('young')).status, 202, 'it had no records then')
  assert.match(hl7.headers.get('retry-after') ?? '', /^[1-9]\d*$/)

  // The one that runs has found its store under the rules when it started.
  await server.kill('SIGTERM')
  await server.spawn()
  while ((await outdatedTenants(server.pool)).length > 0) await pause(pollMs)
  assert.equal((await kickOff('commons')).status, 202)
  const { rows } = await server.pool.query(
    `select tenant, owner from record where type = 'Claim' and superseded = 'infinity' order by tenant`,
  )
  assert.deepEqual(rows, [
    { tenant: 'clinic', owner: 'p' },
    { tenant: 'commons', owner: 'p' },
    { tenant: 'young', owner: 'p' },
  ])
})

async function kickOff(tenant: string): Promise<Response> {
  const token = await server.token(await server.addClient(tenant))
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/fhir+json',
    'content-type': 'application/fhir+json',
    prefer: 'respond-async',
  }
  const parameter = [{ name: 'patient', valueReference: { reference: 'Patient/p' } }]
  const body = JSON.stringify({ resourceType: 'Parameters', parameter })
  return fetch(`${server.base(tenant)}/Patient/$export`, { method: 'POST', headers, body })
}
