import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { addTenant } from '../../access/registry/tenant.ts'
import { type Database, openDatabase } from '../../database/connection.ts'
import { migrate } from '../../database/migrate.ts'

const program = fileURLToPath(new URL('../../main.ts', import.meta.url))
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, ...more })
const lines = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')

let directory: string
let database: Database
let tenants = 0
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-load-'))
  await mkdir(join(directory, 'temporary'))
  database = await openDatabase({ kind: 'embedded', directory: join(directory, 'data') }, { log: () => {} })
  await migrate(database.pool)
})
after(async () => {
  await database.close()
  await rm(directory, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly messages: string
}

/** Runs the program with the words, and `input` as its standard input. */
async function run(words: readonly string[], input: Buffer | string = '', temporary = 'temporary'): Promise<Ended> {
  const env = { ...process.env, MILLRACE_DATA: join(directory, 'data'), TMPDIR: join(directory, temporary) }
  const child = spawn(process.execPath, [program, 'load', ...words], { env })
  let out = ''
  let messages = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    messages += chunk
  })
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out, messages }
}

async function newTenant(): Promise<string> {
  const id = `t-${++tenants}`
  await addTenant(database.pool, { id, profile: 'hl7' })
  return id
}

/** A folder of these files. */
async function folder(contents: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(directory, 'source-'))
  for (const [name, text] of Object.entries(contents)) await writeFile(join(root, name), text)
  return root
}

test('standard input from a producer that takes its time', async () => {
  const tenant = await newTenant()
  const root = await folder({ 'a.ndjson': lines(patient('p')), 'b.ndjson': lines(patient('q')) })
  const piped = '(sleep 2; cat "$1/a.ndjson"; sleep 1; cat "$1/b.ndjson") | "$2" "$3" load --tenant "$4" --json -'
  const env = { ...process.env, MILLRACE_DATA: join(directory, 'data'), TMPDIR: join(directory, 'temporary') }
  const words = ['-c', piped, 'sh', root, process.execPath, program, tenant]
  const child = spawn('sh', words, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const { created, fault_list } = JSON.parse(out)
  assert.deepEqual([code, created, fault_list], [0, 2, []])
})

test('a folder: the summary tells each file, what was passed over, what is open, and what belongs to nobody', async () => {
  const tenant = await newTenant()
  const root = await folder({
    'README.md': 'about',
    'a.ndjson': lines(patient('p', { generalPractitioner: [{ reference: 'Practitioner?identifier=s|secret' }] })),
    'b.json': lines({
      resourceType: 'Condition',
      id: 'c',
      subject: { reference: 'https://ehr.example.org/Patient/p' },
    }),
    'export.json': JSON.stringify({ manifest: {}, complete: true }, null, 1),
  })
  await symlink(join(root, 'gone'), join(root, 'broken'))
  const { code, out, messages } = await run(['--tenant', tenant, root])
  assert.equal(code, 2)
  assert.equal(messages, `${join(root, 'broken')}: a link that leads nowhere\n`)
  const told = out.replaceAll(`${root}/`, '').split('\n')
  for (const line of [
    'a.ndjson: NDJSON, 1 line',
    'References: 0 resolved by identifier, 1 open.',
    '  Patient/p: Practitioner by identifier, nothing matches',
    "1 Condition of this tenant belong to no patient, and are in no patient's export.",
    '2 files passed over:',
    '  README.md',
    '  export.json',
    '1 faults are listed above. Mend them and load again.',
  ]) {
    assert.ok(told.includes(line), `${line} is not in\n${out}`)
  }
  assert.ok(!out.includes('secret'))
  const again = await run(['--tenant', tenant, '--source-base', 'https://ehr.example.org/', root, '--json'])
  const summary = JSON.parse(again.out)
  assert.deepEqual([summary.read, summary.faults, summary.passed_over.count], [2, 1, 2])
  assert.deepEqual(summary.references.open_list[0].record, 'Patient/p')
  assert.deepEqual(await readdir(join(directory, 'temporary')), [])
})

for (const [what, input] of [
  ['lines', lines(patient('a'), patient('b'))],
  ['gzipped lines', gzipSync(lines(patient('a'), patient('b')))],
  [
    'a Bundle',
    JSON.stringify(
      { resourceType: 'Bundle', type: 'collection', entry: [{ resource: patient('a') }, { resource: patient('b') }] },
      null,
      2,
    ),
  ],
] as const) {
  test(`standard input is loaded: ${what}`, async () => {
    const { code, out } = await run(['--tenant', await newTenant(), '-', '--json'], input)
    const { created, faults, files } = JSON.parse(out)
    assert.deepEqual([code, created, faults, files.list[0].file], [0, 2, 0, '-'])
  })
}

test('no message and no summary holds a piece of a record', async () => {
  const root = await folder({ 'a.json': '{"resourceType":"Patient","id":"x","name":[{"family":Musterfrau}]}' })
  for (const more of [[], ['--json']]) {
    const { code, out, messages } = await run(['--tenant', await newTenant(), root, ...more])
    assert.equal(code, 2)
    assert.match(out + messages, /not JSON: it is wrong at character 54/)
    assert.doesNotMatch(out + messages, /Muster/)
  }
})

test('the audit trail has the numbers of a load', async () => {
  const tenant = await newTenant()
  const root = await folder({ 'a.ndjson': lines(patient('a'), { resourceType: 'Condition', id: 'c' }, { id: 'x' }) })
  await run(['--tenant', tenant, root])
  const { rows } = await database.pool.query('select entry from audit_entry where tenant = $1 order by number', [
    tenant,
  ])
  const { detail } = JSON.parse(rows.at(-1).entry)
  const { phase, read, created, refused, faults, orphaned, referencesOpen } = detail
  assert.deepEqual([phase, read, created, refused, faults, orphaned, referencesOpen], ['end', 3, 2, 1, 1, 1, 0])
})

test('a base that is no URL, and a tenant that is none, are refused with advice', async () => {
  const root = await folder({ 'a.ndjson': '' })
  const wrong = await run(['--tenant', await newTenant(), '--source-base', 'ehr', root])
  assert.deepEqual([wrong.code, /is not a FHIR base/.test(wrong.messages)], [1, true])
  const none = await run(['--tenant', 'nobody', root])
  assert.deepEqual([none.code, /There is no tenant nobody/.test(none.messages)], [1, true])
})

test('a load without room for what waits ends with advice', async () => {
  const root = await folder({
    'a.ndjson': lines(patient('a', { link: [{ other: { reference: 'Patient?identifier=s|1' } }] })),
  })
  const { code, messages } = await run(['--tenant', await newTenant(), root], '', 'gone')
  assert.equal(code, 1)
  assert.match(messages, /The temporary file of the load cannot be written \(ENOENT\)\.\s+Make room in .*TMPDIR/)
})

test('--help has examples', async () => {
  assert.match((await run(['--help'])).out, /Examples:\n {2}\$ bin\/millrace load --tenant clinic/)
})
