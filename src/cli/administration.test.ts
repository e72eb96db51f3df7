import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { transaction } from '../database/connection.ts'
import { openTestStore, type TestStore } from '../database/store.fixture.ts'
import { Failure } from '../failure.ts'
import { acceptJob, findJob, packJob } from '../jobs/job.ts'
import { draftOf } from '../records/draft.ts'
import { packChanged } from '../records/packs/packer.ts'
import { write } from '../records/write/write.ts'
import { clientCommand } from './client/client.ts'
import { jobCommand } from './job/job.ts'
import { tenantCommand } from './tenant/tenant.ts'

let store: TestStore

async function run(...line: string[]): Promise<string> {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  const environment = { MILLRACE_DATA: store.directory }
  const [name = '', ...rest] = line
  const commands = { tenant: tenantCommand, client: clientCommand, job: jobCommand }
  const command = commands[name as keyof typeof commands](environment, output)
  await command.parseAsync(rest, { from: 'user' })
  return written.join('')
}
const json = async (...line: string[]) => JSON.parse(await run(...line, '--json'))

before(async () => {
  store = await openTestStore()
})
after(() => store.close())

/** A tenant with a client. */
async function newTenant(): Promise<{ readonly tenant: string; readonly client: string; readonly keyFile: string }> {
  const tenant = `t-${randomUUID()}`
  await run('tenant', 'add', tenant)
  const keyFile = join(store.directory, `${tenant}.jwk.json`)
  const words = ['--tenant', tenant, '--name', 'app', '--scope', 'system/*.read', '--generate-key', keyFile]
  const { client_id } = await json('client', 'add', ...words)
  return { tenant, client: client_id, keyFile }
}

async function addRecords(tenant: string, count: number): Promise<void> {
  const changes = Array.from({ length: count }, (_, at) => {
    const draft = draftOf(`{"resourceType":"Patient","id":"p${at}"}`, [])
    assert.ok('text' in draft)
    return { kind: 'put' as const, draft }
  })
  await write(store.pool, tenant, changes)
}

async function addJob(tenant: string, client: string, state: 'accepted' | 'completed'): Promise<string> {
  const request = {
    patients: ['p0'],
    types: [],
    filters: {},
    base: '',
    provenance: 'relevant',
    lenient: false,
    warnings: [],
  } as const
  const job = { id: randomUUID(), tenant, client, request, url: '' }
  await transaction(store.pool, async (connection) => acceptJob(connection, async () => {}, await packJob(job)))
  await store.pool.query(`update job set state = $2, expires = now() + interval '1 day' where id = $1`, [job.id, state])
  return job.id
}

/** What the trail says was changed in a tenant. */
const changesOf = async (tenant: string): Promise<string[]> =>
  (await store.pool.query('select entry from audit_entry where tenant = $1 order by number', [tenant])).rows.map(
    ({ entry }) => JSON.parse(entry).detail.change,
  )

test('a tenant is shown with what it has', async () => {
  const { tenant, client } = await newTenant()
  await addRecords(tenant, 3)
  await addJob(tenant, client, 'completed')
  await addJob(tenant, client, 'accepted')
  const { created, ...rest } = await json('tenant', 'show', tenant)
  assert.deepEqual(rest, {
    tenant,
    profile: 'millennium',
    strict: false,
    references: 'one-hop',
    clients: 1,
    records: 3,
    exports: { running: 1, completed: 1 },
  })
  assert.match(await run('tenant', 'show', tenant), /\nrecords +3\nexports +1 running, 1 completed\n$/)
  assert.deepEqual((await json('client', 'show', client)).exports, { running: 1, completed: 1 })
  assert.match(
    await run('client', 'show', client),
    new RegExp(`^CLIENT +${client}\nname +app\ntenant +${tenant}\nstate +active\n`),
  )
})

test('how a tenant is served is changed, each setting for itself', async () => {
  const { tenant } = await newTenant()
  const text = `Tenant ${tenant} is served with profile hl7; exports follow references one-hop.\n`
  assert.equal(await run('tenant', 'set', tenant, '--profile', 'hl7'), text)
  const both = await json('tenant', 'set', tenant, '--references', 'transitive')
  assert.deepEqual(both, { tenant, profile: 'hl7', strict: false, references: 'transitive' })
  assert.deepEqual((await changesOf(tenant)).slice(-2), ['tenant changed', 'tenant changed'])
  await assert.rejects(run('tenant', 'set', tenant, '--strict'), /no strict form/)
  assert.equal((await json('tenant', 'set', tenant, '--profile', 'millennium', '--strict')).strict, true)
  await assert.rejects(run('tenant', 'set', tenant, '--profile', 'hl7'), /no strict form/)
  await assert.rejects(run('tenant', 'set', tenant), /nothing to change/)
})

test('exports are listed, counted, shown, cancelled and deleted', async () => {
  const { tenant, client } = await newTenant()
  assert.equal(await run('job', 'list', '--tenant', tenant), 'There is no export.\n')
  const completed = await addJob(tenant, client, 'completed')
  await store.pool.query(`update job set created = created - interval '1 minute' where id = $1`, [completed])
  const running = await addJob(tenant, client, 'accepted')
  const text = await run('job', 'list', '--tenant', tenant)
  assert.match(text, new RegExp(`^JOB +STATE .*\n${running} +accepted +${tenant} +${client} +1 `))
  assert.match(text, /\n\nIn all: 1 accepted, 1 completed\.\n$/)
  const { jobs, states } = await json('job', 'list', '--tenant', tenant, '--state', 'completed')
  assert.deepEqual(
    jobs.map(({ job }: { job: string }) => job),
    [completed],
  )
  assert.deepEqual(states, { accepted: 1, completed: 1 })
  await assert.rejects(run('job', 'cancel', completed), /is completed\.$/)
  assert.match(await run('job', 'cancel', running), new RegExp(`^Cancelled export ${running} of client ${client}`))
  const { state, failure } = await json('job', 'show', running)
  assert.deepEqual([state, failure], ['failed', 'The operator of the server has cancelled the export.'])
  assert.match(await run('job', 'show', running), /\nfailure +The operator of the server has cancelled the export\.\n/)
  assert.deepEqual((await json('job', 'delete', completed)).deleted, true)
  await assert.rejects(run('job', 'delete', completed), /is deleted\.$/)
  await assert.rejects(run('job', 'show', 'x'), /There is no export job x/)
  assert.deepEqual((await changesOf(tenant)).filter(Boolean).slice(-2), ['export cancelled', 'export deleted'])
})

test('a command that only looks makes no store', async () => {
  const directory = join(store.directory, 'typo')
  const output = { write: () => {} }
  const command = jobCommand({ MILLRACE_DATA: directory }, output)
  await assert.rejects(command.parseAsync(['list'], { from: 'user' }), /There is no store in/)
  assert.equal(existsSync(directory), false)
})

test('a client is disabled and enabled', async () => {
  const { tenant, client } = await newTenant()
  assert.equal(typeof (await json('client', 'disable', client)).disabled, 'string')
  assert.match(await run('client', 'show', client), /state +disabled since/)
  assert.equal((await json('client', 'enable', client)).disabled, null)
  assert.deepEqual((await changesOf(tenant)).slice(-2), ['client disabled', 'client enabled'])
})

test('keys are rotated: beside the old one, or in its place', async () => {
  const { client, keyFile } = await newTenant()
  const { kid: old } = JSON.parse(await readFile(keyFile, 'utf8'))
  const newFile = `${keyFile}.new`
  const both = await json('client', 'rotate', client, '--generate-key', newFile, '--keep-old')
  const { kid } = JSON.parse(await readFile(newFile, 'utf8'))
  assert.deepEqual(both.keys, [old, kid])
  const text = await run('client', 'rotate', client, '--jwks', 'https://partner.example/jwks.json')
  assert.match(text, / now has:\n {2}https:\/\/partner\.example\/jwks\.json\n$/)
  await assert.rejects(run('client', 'rotate', client), /one way of authentication/)
  const { client_secret } = await json('client', 'rotate', client, '--secret')
  assert.match(client_secret, /^[\w-]{43}$/)
  assert.match(await run('client', 'show', client), /keys +secret/)
  const { rows } = await store.pool.query('select entry from audit_entry')
  assert.ok(!JSON.stringify(rows).includes(client_secret))
})

test('a tenant that has something is removed only with its data, and then wholly; its trail stays', async () => {
  const { tenant, client } = await newTenant()
  const neighbour = await newTenant()
  for (const each of [tenant, neighbour.tenant]) await addRecords(each, 3)
  await packChanged(store.pool, { tenant, settledMs: 0 }, () => true)
  assert.equal(
    (await store.pool.query('select from pack where tenant = $1', [tenant])).rowCount,
    6, // of each patient the pack of no type, too
  )
  // Changed since: there are packs, and marks of what is not packed.
  await addRecords(tenant, 4)
  const job = await addJob(tenant, client, 'accepted')
  const refused = run('tenant', 'remove', tenant)
  await assert.rejects(
    refused,
    (error) =>
      error instanceof Failure &&
      /1 clients, 4 records, 1 running/.test(error.message) &&
      /--with-data/.test(error.advice),
  )
  assert.equal((await json('tenant', 'show', tenant)).records, 4)

  assert.deepEqual(await json('tenant', 'remove', tenant, '--with-data'), { tenant, removed: true, record_rows: 4 })
  await assert.rejects(run('tenant', 'show', tenant), /no tenant/)
  await assert.rejects(run('client', 'show', client), /no client/)
  assert.equal(await findJob(store.pool, job), undefined)
  for (const table of ['record', 'pack', 'unpacked', 'identifier', 'awaited_target', 'job', 'client', 'tenant']) {
    const column = table === 'tenant' ? 'id' : 'tenant'
    const { rowCount } = await store.pool.query(`select from ${table} where ${column} = $1`, [tenant])
    assert.equal(rowCount, 0, table)
  }
  assert.equal((await json('tenant', 'show', neighbour.tenant)).records, 3)
  assert.deepEqual(await changesOf(tenant), ['tenant added', 'client added', 'tenant removal begun', 'tenant removed'])
})

test('an empty tenant is removed without a word more', async () => {
  const tenant = `t-${randomUUID()}`
  await run('tenant', 'add', tenant)
  assert.equal(await run('tenant', 'remove', tenant), `Removed tenant ${tenant}.\n`)
})

test('a client that has exports is removed only with them', async () => {
  const { tenant, client } = await newTenant()
  const job = await addJob(tenant, client, 'completed')
  await assert.rejects(
    run('client', 'remove', client),
    (error) => error instanceof Failure && /--with-jobs/.test(error.advice),
  )
  assert.deepEqual((await json('client', 'remove', client, '--with-jobs')).removed, true)
  assert.equal(await findJob(store.pool, job), undefined)
  assert.equal((await changesOf(tenant)).at(-1), 'client removed')
})

for (const [what, line] of [
  ['client show', ['client', 'show', 'x']],
  ['client enable', ['client', 'enable', randomUUID()]],
  ['client remove', ['client', 'remove', randomUUID()]],
  ['client list', ['client', 'list', '--tenant', 'x']],
  ['tenant show', ['tenant', 'show', '..']],
  ['tenant set', ['tenant', 'set', 'nowhere', '--profile', 'hl7']],
  ['tenant remove', ['tenant', 'remove', 'nowhere', '--with-data']],
] as const) {
  test(`${what} of what there is not is a failure with advice`, async () => {
    await assert.rejects(run(...line), (error) => error instanceof Failure && /list/.test(error.advice))
  })
}

test('a key set file is read for a rotation', async () => {
  const { client, keyFile } = await newTenant()
  const { kty, crv, x, y } = JSON.parse(await readFile(keyFile, 'utf8'))
  const set = `${keyFile}.set`
  await writeFile(set, JSON.stringify({ keys: [{ kty, crv, x, y, kid: 'renamed' }] }))
  assert.deepEqual((await json('client', 'rotate', client, '--jwks', set)).keys, ['renamed'])
})
