import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { TestServer } from '../server.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** A request that has no answer by then is one that hangs. The server promises ten seconds; the machine of the test may be busy. */
const answerMsMax = 60_000
const pollMs = 100
/** An advisory lock that nobody else takes. */
const lingerLock = 4711

describe('servers and databases that stand still', () => {
  let first: TestServer
  let second: { readonly url: string; readonly child: ChildProcess }
  let files: string
  let token: string

  before(async () => {
    first = await TestServer.start(['--workers', '1'])
    await first.addTenant('clinic')
    files = await mkdtemp(join(tmpdir(), 'millrace-still-'))
    second = await otherServer(first, files)
    token = await first.token(await first.addClient('clinic'))
    const { status } = await put(first.url, 'p1')
    assert.equal(status, 201)
  })
  after(async () => {
    second?.child.kill('SIGKILL')
    await first.stop()
    await rm(files, { recursive: true, force: true })
  })

  const ask = (url: string, path: string, options: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...options,
      headers: { authorization: `Bearer ${token}`, ...options.headers },
      signal: AbortSignal.timeout(answerMsMax),
    })
  const put = (url: string, id: string) =>
    ask(url, `/r4/clinic/Patient/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Patient', id, birthDate: '1970-01-01' }),
    })
  const get = async (url: string, path: string) => (await ask(url, path)).status
  const kickOff = () =>
    ask(first.url, '/r4/clinic/Patient/$export', {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', accept: 'application/fhir+json', prefer: 'respond-async' },
      body: JSON.stringify({
        resourceType: 'Parameters',
        parameter: [{ name: 'patient', valueReference: { reference: 'Patient/p1' } }],
      }),
    })

  it('lets others go on after a server stood still in the middle of a kick-off, and tells its client 503', async () => {
    // The kick-off has its cut, the clock's lock and a row of the audit chain; nothing else asks for the trail's lock meanwhile.
    // It lingers until the server has been stopped, as long as that may take.
    await first.pool.query(`
      create function linger() returns trigger language plpgsql as $$ begin
        if new.entry::jsonb ->> 'kind' = 'kick-off' then
          perform set_config('lock_timeout', '0', true);
          perform pg_advisory_xact_lock(${lingerLock});
        end if; return new; end $$;
      create trigger linger before insert on audit_entry for each row execute function linger()`)
    const holder = await first.pool.connect()
    await holder.query(`select pg_advisory_lock(${lingerLock})`)
    const accepted = kickOff()
    await until(async () => (await lingering()) > 0)
    process.kill(first.pid, 'SIGSTOP')
    try {
      await holder.query(`select pg_advisory_unlock(${lingerLock})`)
      holder.release()
      await until(async () => (await lingering()) === 0)
      assert.equal((await put(second.url, 'p2')).status, 503)
      assert.equal(await get(second.url, '/readyz'), 200)
      await until(async () => (await put(second.url, 'p3')).status === 201)
    } finally {
      process.kill(first.pid, 'SIGCONT')
    }
    const answer = await accepted
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    await first.pool.query('drop trigger linger on audit_entry')
    assert.equal((await kickOff()).status, 202)
  })

  it('answers 503 while the database stands still, and goes on with it', async () => {
    const postmaster = Number(readFileSync(join(first.directory, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
    // The postmaster first: it makes no more processes then.
    process.kill(postmaster, 'SIGSTOP')
    const children = childrenOf(postmaster)
    for (const each of children) process.kill(each, 'SIGSTOP')
    const processes = [postmaster, ...children]
    try {
      const paths = ['/readyz', '/r4/clinic/Patient/p1', '/readyz']
      const statuses = await Promise.all(paths.map((path) => get(second.url, path)))
      assert.deepEqual([...statuses, (await put(second.url, 'p4')).status], [503, 503, 503, 503])
      assert.equal(await get(second.url, '/livez'), 200)
    } finally {
      for (const each of processes) process.kill(each, 'SIGCONT')
    }
    await until(async () => (await get(second.url, '/readyz')) === 200)
    assert.equal(await get(second.url, '/r4/clinic/Patient/p1'), 200)
  })

  async function lingering(): Promise<number> {
    const sql = `select from pg_locks where locktype = 'advisory' and objid = ${lingerLock} and not granted`
    return (await first.pool.query(sql)).rowCount ?? 0
  }
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(pollMs)
}

function childrenOf(parent: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid!)
}

/** Another server of the same store, which is told only where the database is. */
async function otherServer({ database, url: publicUrl }: TestServer, files: string) {
  const { host = '', user, database: name } = database.connection
  const store = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}`
  const port = await freePort()
  const flags = [
    '--database-url',
    store,
    '--port',
    String(port),
    '--public-url',
    publicUrl,
    '--workers',
    '1',
    '--files',
    files,
  ]
  const child = spawn(process.execPath, [program, 'serve', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] })
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stderr.on('data', (chunk) => {
      text += chunk
      if (text.includes('Millrace serves')) resolve(`http://127.0.0.1:${port}`)
    })
    child.once('exit', () => reject(new Error(text)))
  })
  return { url, child }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
