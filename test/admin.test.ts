import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { guessesMax } from '../src/access/guess-limit.ts'
import { resetAdministrator } from '../src/access/registry/administrator.ts'
import { generateClientKey } from '../src/access/registry/client-key.ts'
import { keptOfStrangers } from '../src/audit/kept-refusals.ts'
import { type TestClient, TestServer } from './server.ts'

describe('the administrator API', () => {
  let server: TestServer
  let credential: string

  before(async () => {
    server = await TestServer.start()
    credential = await resetAdministrator(server.pool)
  })
  after(() => server.stop())

  /** What the answers have that the tests look at by name. */
  interface AnswerBody {
    readonly [name: string]: unknown
    readonly client_id: string
    readonly next: string | null
    readonly error: { readonly message: string; readonly advice: string }
  }
  interface Answer {
    readonly status: number
    readonly headers: Headers
    readonly body: AnswerBody
  }
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    authorization = `Bearer ${credential}`,
  ): Promise<Answer> {
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const answer = await fetch(`${server.url}/admin${path}`, { method, headers, ...sent })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as AnswerBody }
  }
  /** All items of a list, in pages of two. */
  async function all(path: string, name: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = []
    for (let place = ''; ; ) {
      const { status, body } = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}count=2${place}`)
      assert.equal(status, 200, JSON.stringify(body))
      const page = body[name] as Record<string, unknown>[]
      assert.ok(page.length <= 2)
      items.push(...page)
      if (body.next === null) return items
      place = `&page=${encodeURIComponent(body.next)}`
    }
  }

  it('has a credential that the first start shows on a terminal only, and only its hash is kept', async () => {
    assert.match(server.messages, /shown on a terminal only\. Make one .*: bin\/millrace admin reset\n/)
    assert.ok(!server.messages.includes('millrace-admin-'))
    const { rows } = await server.pool.query(`select value from secret where name = 'administrator'`)
    assert.equal(rows[0].value.length, 32)
    assert.ok(!server.log.includes(credential))
    assert.equal((await ask('GET', '/tenants')).status, 200)
  })

  it('keeps tenants: add, list, show, profile, remove', async () => {
    for (const tenant of ['a', 'b', 'c', 'd', 'e']) {
      const { status, body } = await ask('POST', '/tenants', { tenant })
      assert.deepEqual([status, body.tenant, body.profile], [201, tenant, 'millennium'])
    }
    assert.deepEqual(
      (await all('/tenants', 'tenants')).map(({ tenant }) => tenant),
      ['a', 'b', 'c', 'd', 'e'],
    )
    assert.equal((await ask('PATCH', '/tenants/a', { profile: 'hl7' })).body.profile, 'hl7')
    const { created, ...shown } = (await ask('GET', '/tenants/a')).body
    assert.deepEqual(shown, {
      tenant: 'a',
      profile: 'hl7',
      strict: false,
      references: 'one-hop',
      clients: 0,
      records: 0,
      exports: { running: 0, completed: 0 },
    })
    assert.equal((await ask('DELETE', '/tenants/e')).body.removed, true)
    assert.equal((await ask('GET', '/tenants/e')).status, 404)
  })

  it('keeps clients, and what it says counts for the next request', async () => {
    const { publicKey, privateKey } = await generateClientKey('ES384')
    const jwks = { keys: [publicKey] }
    const registered = await ask('POST', '/tenants/a/clients', { name: 'app', scope: 'system/*.read', jwks })
    assert.equal(registered.status, 201)
    const { client_id: id, kids } = registered.body
    assert.deepEqual(kids, [publicKey.kid])
    assert.ok(!JSON.stringify(registered.body).includes(String(publicKey.x)))
    const client: TestClient = { tenant: 'a', id, key: privateKey }
    const token = await server.token(client, 'system/*.read')
    const call = async () =>
      (await fetch(`${server.base('a')}/Patient/x`, { headers: { authorization: `Bearer ${token}` } })).status
    assert.equal(await call(), 404)
    assert.equal(typeof (await ask('POST', `/clients/${id}/disable`)).body.disabled, 'string')
    assert.equal(await call(), 401)
    assert.equal((await ask('POST', `/clients/${id}/enable`)).body.disabled, null)
    assert.equal(await call(), 404)

    const fresh = await generateClientKey('RS384')
    const rotation = { jwks: { keys: [fresh.publicKey] }, keep_old: true }
    assert.deepEqual((await ask('PUT', `/clients/${id}/keys`, rotation)).body.kids, [
      publicKey.kid,
      fresh.publicKey.kid,
    ])
    for (const name of ['second', 'third']) {
      await ask('POST', '/tenants/a/clients', {
        name,
        scope: 'system/*.read',
        jwks_url: 'https://partner.example/jwks',
      })
    }
    assert.deepEqual((await all('/tenants/a/clients', 'clients')).map(({ name }) => name).sort(), [
      'app',
      'second',
      'third',
    ])
    assert.deepEqual((await ask('GET', `/clients/${id}`)).body.exports, { running: 0, completed: 0 })
    assert.equal((await ask('DELETE', `/clients/${id}`)).status, 200)
    assert.equal(await call(), 401)
  })

  it('lists exports with their states, and lets nothing go that still has them unless it is said', async () => {
    await server.addTenant('busy')
    const client = await server.addClient('busy')
    const token = await server.token(client)
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/fhir+json',
      accept: 'application/fhir+json',
      prefer: 'respond-async',
    }
    const patient = JSON.stringify({ resourceType: 'Patient', id: 'p' })
    await fetch(`${server.base('busy')}/Patient/p`, { method: 'PUT', headers, body: patient })
    const parameter = [{ name: 'patient', valueReference: { reference: 'Patient/p' } }]
    const body = JSON.stringify({ resourceType: 'Parameters', parameter })
    const jobs: string[] = []
    for (let turn = 0; turn < 3; turn++) {
      const accepted = await fetch(`${server.base('busy')}/Patient/$export`, { method: 'POST', headers, body })
      const status = accepted.headers.get('content-location')!
      jobs.unshift(status.split('/').at(-1)!)
      while ((await fetch(status, { headers })).status === 202) await pause(100)
    }
    const listed = await all('/jobs?tenant=busy', 'jobs')
    assert.deepEqual(
      listed.map(({ job }) => job),
      jobs,
    )
    assert.deepEqual([listed[0]!.state, listed[0]!.client, listed[0]!.patients], ['completed', client.id, 1])
    assert.equal((await all('/jobs?tenant=busy&state=failed', 'jobs')).length, 0)
    assert.deepEqual((await ask('GET', '/jobs?tenant=busy')).body.states, {
      ...{ accepted: 0, running: 0, finishing: 0, completed: 3, failed: 0, deleted: 0 },
    })
    const [job] = jobs
    const shown = (await ask('GET', `/jobs/${job}`)).body as unknown as { stored: { files: number }; request: object }
    assert.deepEqual([shown.stored.files, (shown.request as { provenance: string }).provenance], [1, 'relevant'])
    const completed = () =>
      server.log.split('\n').find((line) => line.includes(`"job":"${job}"`) && /"export completed".*}$/.test(line))
    // It is logged after its client can see it.
    while (completed() === undefined) await pause(100)
    const { tenant, client: ofClient, files, records, bytes } = JSON.parse(completed()!)
    assert.deepEqual([tenant, ofClient, files, records, bytes > 0], ['busy', client.id, 1, 1, true])
    assert.equal((await ask('POST', `/jobs/${job}/cancel`)).status, 409, 'it is completed')
    assert.equal((await ask('DELETE', `/jobs/${job}`)).status, 200)
    assert.equal((await ask('DELETE', `/jobs/${job}`)).status, 409)
    assert.equal((await fetch(`${server.base('busy')}/bulk-export/jobs/${job}`, { headers })).status, 404)

    for (const [path, word] of [
      ['/tenants/busy', 'with_data'],
      [`/clients/${client.id}`, 'with_jobs'],
    ]) {
      const refused = await ask('DELETE', path!)
      assert.equal(refused.status, 409)
      assert.match(refused.body.error.advice, new RegExp(`${word}=true`))
    }
    assert.equal((await ask('DELETE', `/clients/${client.id}?with_jobs=true`)).status, 200)
    assert.equal((await all('/jobs?tenant=busy', 'jobs')).length, 0)
    assert.equal((await ask('DELETE', '/tenants/busy?with_data=true')).status, 200)
  })

  it('shows the audit trail, its own doings included, also of a tenant that is gone', async () => {
    const entries = await all('/audit?tenant=busy', 'entries')
    const numbers = entries.map(({ number }) => Number(number))
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, at) => numbers.length - at),
    )
    const removal = entries.find(({ detail }) => (detail as { change?: string })?.change === 'tenant removed')
    assert.deepEqual(
      [removal?.kind, removal?.agent, removal?.address],
      ['administration', { kind: 'administrator' }, '127.0.0.1'],
    )
    assert.ok(entries.some(({ kind }) => kind === 'audit'))
    assert.ok((await all('/audit', 'entries')).length > 0)
    assert.equal((await all('/audit?tenant=busy&date=lt2020', 'entries')).length, 0)
  })

  it('says what is wrong with a request', async () => {
    const rows: [status: number, method: string, path: string, body?: unknown][] = [
      [400, 'POST', '/tenants', '{'],
      [400, 'POST', '/tenants', []],
      [400, 'POST', '/tenants', {}],
      [400, 'POST', '/tenants', { tenant: '..' }],
      [400, 'POST', '/tenants', { tenant: 'x', profile: 'y' }],
      [400, 'POST', '/tenants', { tenant: 'x', colour: 'y' }],
      [409, 'POST', '/tenants', { tenant: 'a' }],
      [415, 'POST', '/tenants/a/clients'],
      [400, 'POST', '/tenants/a/clients', { name: 'n', scope: 'system/*.read' }],
      [400, 'POST', '/tenants/a/clients', { name: 'n', scope: 'user/*.read', jwks_url: 'https://x.example' }],
      [413, 'POST', '/tenants', { tenant: 'x'.repeat(400_000) }],
      [404, 'GET', '/tenants/nowhere'],
      [404, 'GET', '/tenants/nowhere/clients'],
      [404, 'GET', '/clients/x'],
      [404, 'GET', '/audit?tenant=nowhere'],
      [400, 'GET', '/tenants?count=0'],
      [400, 'GET', '/tenants?count=1&count=2'],
      [400, 'GET', '/tenants?colour=red'],
      [400, 'GET', '/tenants?page=%00'],
      [400, 'GET', '/jobs?state=lost'],
      [400, 'GET', '/jobs?page=x'],
      [404, 'GET', '/jobs/x'],
      [404, 'DELETE', '/jobs/00000000-0000-4000-8000-000000000000'],
      [404, 'POST', '/jobs/00000000-0000-4000-8000-000000000000/cancel'],
      [400, 'GET', '/audit?date=x'],
      [400, 'DELETE', '/tenants/a?with_data=perhaps'],
    ]
    for (const [status, method, path, body] of rows) {
      const answer = await ask(method, path, body)
      assert.equal(answer.status, status, `${method} ${path} ${JSON.stringify(answer.body)}`)
      assert.ok(answer.body.error.message.length > 0 && answer.body.error.advice.length > 0)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
  })

  it('refuses every other credential, and then the address; a reset counts at once', async () => {
    const client = await server.addClient('a')
    const token = await server.token(client)
    // What was refused before is counted for a minute from then on; a server that begins now counts all of this together.
    await server.kill('SIGTERM')
    await server.spawn()
    const old = credential
    credential = await resetAdministrator(server.pool)
    assert.equal((await ask('GET', '/tenants')).status, 200)
    const wrong = [
      `Bearer ${old}`,
      `Bearer ${token}`,
      'Bearer',
      '',
      `Basic ${credential}`,
      `Bearer ${credential}x`,
      `Bearer ${credential} x`,
    ]
    for (const authorization of wrong) {
      const answer = await ask('GET', '/tenants', undefined, authorization)
      assert.equal(answer.status, 401, authorization)
      assert.match(answer.headers.get('www-authenticate')!, /^Bearer realm=/)
    }
    for (let at = 0; at < guessesMax; at++) assert.equal((await fetch(`${server.url}/admin/tenants`)).status, 401)
    const together = Array.from({ length: 2 * guessesMax }, () => ask('GET', '/jobs', undefined, 'Bearer x'))
    const told = (await Promise.all(together)).filter(({ status }) => status === 401)
    assert.equal(told.length, guessesMax - wrong.length, 'those that come at the same time do not slip through')
    const limited = await ask('GET', '/jobs', undefined, 'Bearer x')
    assert.equal(limited.status, 429)
    assert.equal((await ask('GET', '/jobs')).status, 200, 'the right one passes, whatever others have sent from there')
    assert.ok(Number(limited.headers.get('retry-after')) > 0)
    assert.equal((await fetch(`${server.url}/livez`)).status, 200)

    await server.kill('SIGTERM')
    const { rows } = await server.pool.query(
      `select entry from audit_entry where tenant = '' and entry like '%credential%'`,
    )
    assert.equal(rows.length, keptOfStrangers.ofKindMax + 1, 'the rest are counted')
    const gaps = await server.pool.query(
      `select entry from audit_entry where tenant = '' and entry::jsonb ->> 'kind' = 'gap'`,
    )
    assert.deepEqual(
      gaps.rows.map(({ entry }) => JSON.parse(entry).detail).sort((a, b) => b.entries - a.entries),
      [
        { entries: guessesMax + wrong.length + 1 },
        {
          entries: 2 * guessesMax - keptOfStrangers.ofKindMax,
          network: '127.0.0.1',
          of: 'administration',
          reason: 'wrong credential',
        },
      ],
    )
    assert.ok(!JSON.stringify(rows).includes('millrace-admin-'))
    const messages = server.messages
    await server.spawn()
    assert.ok(!server.messages.slice(messages.length).includes('millrace-admin-'), 'a later start prints none')
  })
})
