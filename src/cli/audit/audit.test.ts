import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { structureFaults } from '../../../test/structure.ts'
import { transaction } from '../../database/connection.ts'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { Failure } from '../../failure.ts'
import { clientCommand } from '../client/client.ts'
import { loadCommand } from '../load/load.ts'
import { tenantCommand } from '../tenant/tenant.ts'
import { auditCommand } from './audit.ts'

let store: TestStore

async function run(...line: string[]): Promise<string> {
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  const environment = { MILLRACE_DATA: store.directory }
  const [name = '', ...rest] = line
  const commands = { tenant: tenantCommand, client: clientCommand, load: loadCommand, audit: auditCommand }
  await commands[name as keyof typeof commands](environment, output).parseAsync(rest, { from: 'user' })
  return written.join('')
}
const events = async (...line: string[]) =>
  (await run('audit', 'export', ...line))
    .split('\n')
    .slice(0, -1)
    .map((text) => JSON.parse(text))
/** The facts of an exported event. */
const factsOf = (event: { entity: { detail?: { type: string; valueString: string }[] }[] }) =>
  Object.fromEntries(
    event.entity.flatMap(({ detail = [] }) => detail.map(({ type, valueString }) => [type, valueString])),
  )

before(async () => {
  store = await openTestStore()
  await run('tenant', 'add', 'clinic')
  await run('tenant', 'add', 'second')
})
after(() => store.close())

test('administration and loads are recorded with the account and the machine, and exported as valid AuditEvents', async () => {
  const words = [
    '--tenant',
    'clinic',
    '--name',
    'app',
    '--scope',
    'system/*.read system/Goal.rs?patient=Patient/somebody',
  ]
  const key = join(store.directory, 'key.jwk.json')
  const { client_id } = JSON.parse(await run('client', 'add', ...words, '--generate-key', key, '--json'))
  await run('client', 'disable', client_id)
  const file = join(store.directory, 'Patient.ndjson')
  await writeFile(file, '{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"b"}\n')
  await run('load', '--tenant', 'clinic', file)

  const exported = await events('--tenant', 'clinic')
  for (const event of exported) assert.deepEqual(structureFaults(event, 'AuditEvent'), [])
  assert.deepEqual(
    exported.map((event) => {
      const { kind, change, phase, use, created } = factsOf(event)
      return [kind, change ?? phase ?? use, created]
    }),
    [
      ['administration', 'tenant added', undefined],
      ['administration', 'client added', undefined],
      ['administration', 'client disabled', undefined],
      ['load', 'begin', undefined],
      ['load', 'end', '2'],
      ['audit', 'export', undefined],
    ],
  )
  assert.equal(factsOf(exported[1]).scope, 'system/*.read system/Goal.rs', 'the query names a patient')
  for (const { agent } of exported) {
    assert.deepEqual([agent[0].name, agent[0].requestor, agent[0].network.type], ['operator', true, '1'])
    assert.ok(agent[0].who.identifier.value.length > 0)
  }
})

test('a change that fails leaves no entry', async () => {
  const count = async () => (await events('--tenant', 'clinic')).length
  const before = await count()
  await assert.rejects(run('tenant', 'add', 'clinic'), /exists already/)
  assert.equal(await count(), before + 1, 'only the export itself')
})

test('export takes a time, and a new file that only its owner reads', async () => {
  const all = await events('--tenant', 'clinic')
  const since = all.at(-1).recorded
  assert.equal((await events('--tenant', 'clinic', '--since', since))[0].recorded, since)
  const file = join(store.directory, 'audit.ndjson')
  assert.equal(await run('audit', 'export', '--tenant', 'clinic', '--out', file), '')
  assert.equal((await readFile(file, 'utf8')).split('\n').length, all.length + 3)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await assert.rejects(run('audit', 'export', '--tenant', 'clinic', '--out', file), /exists already/)
  await assert.rejects(run('audit', 'export', '--tenant', 'clinic', '--since', 'yesterday'), /no instant/)
  await assert.rejects(run('audit', 'export', '--tenant', 'nowhere'), /no entries of a tenant/)
  await assert.rejects(run('audit', 'export'), /whose entries/)
  await assert.rejects(run('audit', 'export', '--store', '--tenant', 'clinic'), /whose entries/)
  assert.equal(factsOf((await events('--store')).at(-1)).use, 'export')
})

test('verify prints the heads, and fails when a row is changed, removed or put in', async () => {
  assert.match(
    await run('audit', 'verify'),
    /^Verified \d+ entries in 3 chains\.\n\nCHAIN +ENTRIES +HEAD\n\(store\) +\d+ +[0-9a-f]{64}\nclinic /,
  )
  const heads = join(store.directory, 'heads.json')
  await writeFile(heads, await run('audit', 'verify', '--json'))
  await events('--tenant', 'second')
  assert.match(await run('audit', 'verify', '--expect', heads), /^Verified/)
  for (const text of ['', '{', '{}', '{"chains":[]}', '{"chains":[{"tenant":"x"}]}']) {
    await writeFile(join(store.directory, 'bad.json'), text)
    await assert.rejects(run('audit', 'verify', '--expect', join(store.directory, 'bad.json')), Failure)
  }

  await transaction(store.pool, async (client) => {
    await client.query('set local session_replication_role = replica')
    await client.query(`delete from audit_entry where tenant = 'clinic' and number = 2`)
  })
  const written: string[] = []
  const output = { write: (text: string) => written.push(text) }
  const verify = auditCommand({ MILLRACE_DATA: store.directory }, output)
  const failed = verify.parseAsync(['verify', '--json'], { from: 'user' })
  await assert.rejects(
    failed,
    (error) => error instanceof Failure && error.exitCode === 1 && /1 faults/.test(error.message),
  )
  const report = JSON.parse(written.join(''))
  assert.equal(report.verified, false)
  assert.deepEqual([report.faults[0].tenant, report.faults[0].number], ['clinic', 3])
})
