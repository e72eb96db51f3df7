import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { get } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { verifyChains } from '../src/audit/chain.ts'
import { draftOf } from '../src/records/draft.ts'
import { storeDrafts } from '../src/records/load/store-drafts.ts'
import { type TestClient, TestServer } from './server.ts'
import { structureFaults } from './structure.ts'

/** Texts that must be found nowhere but in records and requests. */
const nameMark = 'Zanzibarovna'
const noteMark = 'quixotic-finding-77'
const requestMark = 'mark-in-a-request-31'

const heavyRecords = 12
const waitMsMax = 300_000
/** Less often than is too often (T-169). */
const pollMs = 100

interface AuditEvent {
  readonly id: string
  readonly recorded: string
  readonly outcome: string
  readonly outcomeDesc?: string
  readonly agent: readonly {
    readonly who?: { readonly identifier: { readonly value: string } }
    readonly name: string
    readonly network?: { readonly address: string }
  }[]
  readonly entity: readonly {
    readonly what?: { readonly reference?: string; readonly display?: string }
    readonly query?: string
    readonly detail?: readonly { readonly type: string; readonly valueString: string }[]
  }[]
}

describe('the audit trail of a running server', () => {
  let server: TestServer
  let app: TestClient
  let auditor: TestClient
  let neighbour: TestClient
  /** Everything that must stay secret: tokens, assertions, signatures, keys, contents. */
  const secrets: string[] = [nameMark, noteMark, requestMark]
  let token: string

  before(async () => {
    server = await TestServer.start()
    for (const tenant of ['clinic', 'other']) await server.addTenant(tenant)
    app = await server.addClient('clinic')
    auditor = await server.addClient('clinic', 'system/*.read system/AuditEvent.rs')
    neighbour = await server.addClient('other', 'system/AuditEvent.read')
    token = await tokenOf(app)
    await loadHeavyRecords()
  })
  after(() => server.stop())

  async function tokenOf(client: TestClient, scope?: string): Promise<string> {
    const given = await server.token(client, scope)
    secrets.push(given.split('.')[2]!, String(client.key.d))
    return given
  }

  /** Records that do not compress, so that their file does not fit into the buffers of a connection. */
  async function loadHeavyRecords(): Promise<void> {
    const drafts = Array.from({ length: heavyRecords }, (_, at) => {
      const text = randomBytes(1_000_000).toString('base64')
      const resource = {
        resourceType: 'Observation',
        id: `o${at}`,
        subject: { reference: 'Patient/p1' },
        note: [{ text }],
      }
      const draft = draftOf(JSON.stringify(resource), [])
      assert.ok('text' in draft)
      return draft
    })
    await storeDrafts(server.pool, 'clinic', drafts, false, () => {})
  }

  const send = (path: string, options: RequestInit & { readonly as?: string } = {}) => {
    const { as = token, headers, ...rest } = options
    const url = path === '' || path.startsWith('/') ? `${server.base('clinic')}${path}` : path
    const authorization = `Bearer ${as}`
    const accept = 'application/fhir+json'
    return fetch(url, { redirect: 'manual', ...rest, headers: { accept, authorization, ...headers } })
  }
  const sendJson = (method: string, path: string, body: object, headers: Record<string, string> = {}) =>
    send(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/fhir+json', ...headers } })
  const kickOff = (more: object[] = []) => {
    const parameter = [{ name: 'patient', valueReference: { reference: 'Patient/p1' } }, ...more]
    return sendJson('POST', '/Patient/$export', { resourceType: 'Parameters', parameter }, { prefer: 'respond-async' })
  }

  async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + waitMsMax
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      assert.ok(Date.now() < deadline, 'it did not happen in time')
      await pause(pollMs)
    }
  }

  interface Row {
    readonly tenant: string
    readonly kind: string
    readonly outcome: string
    readonly agent: { readonly kind: string; readonly id?: string }
    readonly address?: string
    readonly request?: string
    readonly subjects?: readonly string[]
    readonly patients?: readonly string[]
    readonly reason?: string
    readonly detail: Readonly<Record<string, unknown>>
  }
  const rows = async (): Promise<Row[]> => {
    const answer = await server.pool.query('select tenant, entry from audit_entry order by recorded, tenant, number')
    return answer.rows.map(({ tenant, entry }) => ({ tenant, ...JSON.parse(entry) }))
  }
  /** Waits until there is such an entry: refusals and ends of downloads are written soon after the answer. */
  const entry = (wanted: (row: Row) => boolean) => eventually(async () => (await rows()).find(wanted))

  let job: string
  let file: string

  it('names who wrote what, in the transaction of the write', async () => {
    const patient = { resourceType: 'Patient', id: 'p1', name: [{ family: nameMark }] }
    assert.equal((await sendJson('PUT', '/Patient/p1', patient)).status, 201)
    const observation = {
      resourceType: 'Observation',
      id: 'n1',
      subject: { reference: 'Patient/p1' },
      note: [{ text: noteMark }],
    }
    const bundle = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource: observation, request: { method: 'PUT', url: 'Observation/n1' } },
        { request: { method: 'GET', url: 'Patient/p1' } },
      ],
    }
    const written = await sendJson('POST', '', bundle)
    const requestId = written.headers.get('x-request-id')
    assert.equal((await sendJson('PUT', '/Patient/p1', patient)).status, 200)

    const writes = (await rows()).filter(({ kind }) => kind === 'write')
    assert.deepEqual(
      writes.map(({ tenant, outcome, agent, address, subjects, detail }) => [
        tenant,
        outcome,
        agent.id,
        address,
        subjects,
        detail,
      ]),
      [
        ['clinic', 'success', app.id, '127.0.0.1', ['Patient/p1'], { created: 1 }],
        ['clinic', 'success', app.id, '127.0.0.1', ['Observation/n1'], { created: 1 }],
        ['clinic', 'success', app.id, '127.0.0.1', [], { unchanged: 1 }],
      ],
    )
    assert.equal(writes[1]!.request, requestId)
    assert.deepEqual((await rows()).find(({ kind }) => kind === 'read')?.subjects, ['Patient/p1'])
    assert.equal((await send('/Patient/p1')).status, 200)
    assert.equal((await rows()).filter(({ kind }) => kind === 'read').length, 2)
  })

  it('calls no write done that was refused, and no record read that was not given', async () => {
    const at = (await rows()).length
    const patient = { resourceType: 'Patient', id: 'p1' }
    assert.equal((await sendJson('PUT', '/Patient/p1', patient, { 'if-match': 'W/"99"' })).status, 412)
    const entries = [
      { resource: patient, request: { method: 'PUT', url: 'Patient/p1', ifMatch: 'W/"99"' } },
      { resource: { resourceType: 'Basic', id: 'b1' }, request: { method: 'PUT', url: 'Basic/b1' } },
      { request: { method: 'GET', url: 'Patient/absent' } },
      { request: { method: 'GET', url: 'AuditEvent/1' } },
    ]
    const batch = await sendJson('POST', '', { resourceType: 'Bundle', type: 'batch', entry: entries })
    assert.equal(batch.status, 200)
    await entry((row) => row.kind === 'write' && row.outcome === 'refused' && row.detail.entries !== undefined)
    assert.deepEqual(
      (await rows())
        .slice(at)
        .map(({ kind, outcome, detail, reason }) => [kind, outcome, detail.status ?? detail.entries ?? detail, reason])
        .toSorted((one, other) => String(one).localeCompare(String(other))),
      [
        ['write', 'refused', 3, 'conflict, not-found, not-supported'],
        ['write', 'refused', 412, 'invalid'],
        ['write', 'success', { created: 1 }, undefined],
      ],
    )
  })

  it('records what was refused, and by whom as far as that is known', async () => {
    const refusals: [status: number, answer: Promise<Response>][] = [
      [400, kickOff([{ name: requestMark, valueString: requestMark }])],
      [401, send('/Patient/$export', { method: 'POST', as: requestMark })],
      [401, send('/bulk-export/jobs/x', { as: requestMark })],
      [403, send('/AuditEvent')],
      [404, send('/Patient/absent')],
      [400, sendJson('PUT', '/Patient/p1', { resourceType: 'Patient', id: requestMark })],
      [405, sendJson('PUT', '/AuditEvent/1', { resourceType: 'AuditEvent', id: '1' })],
      [403, fetch(`${server.url}/content/2b1f3f0e-7d0a-4a51-9a4b-0d6cf8b4f6a1?expires=1&signature=${requestMark}`)],
    ]
    for (const [status, answer] of refusals) assert.equal((await answer).status, status)
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      scope: requestMark,
      client_assertion: requestMark,
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const asked = await fetch(`${server.url}/oauth2/clinic/token`, { method: 'POST', headers, body: form })
    assert.equal(asked.status, 400)
    await tokenOf(app, `system/Observation.rs?code=${requestMark}`)
    const given = await entry(({ kind, detail }) => kind === 'token' && detail?.scope === 'system/Observation.rs')
    assert.deepEqual([given.outcome, given.agent], ['success', { kind: 'client', id: app.id }])
    await assert.rejects(
      server.token(app, `system/Observation.rs?no-such-parameter=${requestMark}`),
      /cannot be applied/,
    )
    const basic = `Basic ${Buffer.from(`${app.id.replaceAll('-', '%2D')}:${requestMark}`).toString('base64')}`
    const looked = await fetch(`${server.url}/oauth2/clinic/introspect`, {
      method: 'POST',
      headers: { ...headers, authorization: basic },
      body: new URLSearchParams({ token: requestMark }),
    })
    assert.equal(looked.status, 401)

    const of = (kind: string, agent: string, status: number) => (row: Row) =>
      row.kind === kind && row.outcome === 'refused' && row.agent.kind === agent && row.detail?.status === status
    assert.equal((await entry(of('kick-off', 'client', 400))).agent.id, app.id)
    assert.equal((await entry(of('kick-off', 'stranger', 401))).tenant, 'clinic')
    await entry(of('access', 'stranger', 401))
    await entry(of('audit', 'client', 403))
    await entry(of('read', 'client', 404))
    await entry(of('write', 'client', 400))
    await entry(({ tenant, kind, outcome }) => tenant === '' && kind === 'download' && outcome === 'refused')
    await entry(({ tenant, kind, outcome }) => tenant === 'clinic' && kind === 'token' && outcome === 'refused')
    const looking = await entry(({ detail }) => String(detail?.route).endsWith('/introspect'))
    assert.deepEqual(
      [looking.tenant, looking.kind, looking.agent, looking.reason],
      ['clinic', 'access', { kind: 'stranger', id: app.id }, 'invalid_client'],
    )
  })

  it('follows an export from the kick-off to its end, once each', async () => {
    const accepted = await kickOff()
    assert.equal(accepted.status, 202)
    const status = accepted.headers.get('content-location')!
    job = status.split('/').at(-1)!
    const manifest = await eventually(async () => {
      const answer = await send(status)
      return answer.status === 200 ? ((await answer.json()) as { output: { type: string; url: string }[] }) : undefined
    })
    file = manifest.output.find(({ type }) => type === 'Observation')!.url
    const own = (await rows()).filter(({ subjects }) => subjects?.includes(`Job/${job}`))
    assert.deepEqual(
      own.map(({ kind, outcome, agent, patients, detail }) => [
        kind,
        outcome,
        agent.kind,
        patients,
        detail.client ?? detail.since ?? null,
      ]),
      [
        ['kick-off', 'success', 'client', ['p1'], null],
        ['export', 'success', 'server', undefined, app.id],
      ],
    )
    assert.deepEqual([own[1]!.detail.files, own[1]!.detail.records], [2, heavyRecords + 2])
  })

  it('tells whole downloads from broken ones, by their bytes', async () => {
    const whole = await linkOf(file)
    const bytes = await (await fetch(whole)).arrayBuffer()
    const isDownload = ({ kind, outcome }: Row) => kind === 'download' && outcome !== 'refused'
    const first = await entry(isDownload)
    assert.deepEqual(
      [
        first.outcome,
        first.agent.id,
        first.detail.coding,
        first.detail.complete,
        Number(first.detail.of) > heavyRecords * 700_000,
      ],
      ['success', app.id, 'gzip', true, true],
    )
    assert.equal(first.detail.bytes, first.detail.of)
    assert.ok(bytes.byteLength > Number(first.detail.bytes))

    await breakOff(await linkOf(file))
    const broken = await entry((row) => isDownload(row) && row.outcome === 'failed')
    assert.equal(broken.detail.complete, false)
    assert.ok(Number(broken.detail.bytes) < Number(broken.detail.of))

    const ranged = await fetch(await linkOf(file), { headers: { range: 'bytes=10-19', 'accept-encoding': 'identity' } })
    assert.equal((await ranged.arrayBuffer()).byteLength, 10)
    const part = await entry((row) => isDownload(row) && row.detail.of === 10)
    assert.deepEqual([part.outcome, part.detail.bytes, part.detail.coding], ['success', 10, 'identity'])
    assert.equal((await rows()).filter(({ kind }) => kind === 'link').length, 3)
  })

  async function linkOf(url: string): Promise<string> {
    const answer = await send(url, { headers: { accept: 'application/fhir+ndjson' } })
    assert.equal(answer.status, 307)
    const location = answer.headers.get('location')!
    secrets.push(new URL(location).searchParams.get('signature')!)
    return location
  }

  /** Takes the first bytes of an answer and hangs up. */
  const breakOff = (url: string) =>
    new Promise<void>((resolve, reject) => {
      const request = get(url, (response) => {
        response.once('data', () => {
          request.destroy()
          resolve()
        })
      })
      request.once('error', reject)
    })

  it('names the Group of an export, and records a file without a redirect before its bytes', async () => {
    await server.addTenant('commons', 'hl7')
    const as = await tokenOf(await server.addClient('commons'))
    const base = server.base('commons')
    const member = [{ entity: { reference: 'Patient/g1' } }]
    for (const resource of [
      { resourceType: 'Patient', id: 'g1' },
      { resourceType: 'Group', id: 'g', member },
    ]) {
      const url = `${base}/${resource.resourceType}/${resource.id}`
      const headers = { 'content-type': 'application/fhir+json' }
      assert.equal((await send(url, { as, method: 'PUT', headers, body: JSON.stringify(resource) })).status, 201)
    }
    const accepted = await send(`${base}/Group/g/$export`, { as, headers: { prefer: 'respond-async' } })
    assert.equal(accepted.status, 202)
    const manifest = await eventually(async () => {
      const answer = await send(accepted.headers.get('content-location')!, { as })
      return answer.status === 200 ? ((await answer.json()) as { output: { type: string; url: string }[] }) : undefined
    })
    const { url } = manifest.output.find(({ type }) => type === 'Patient')!
    const content = await send(url, { as, headers: { accept: 'application/fhir+ndjson' } })
    assert.equal(content.status, 200)
    const ofFile = async () =>
      (await rows()).filter(({ subjects }) => subjects?.[0] === `File/${url.split('/').at(-1)}`)
    assert.deepEqual((await ofFile())[0]?.kind, 'link', 'it is there with the first byte')
    await content.arrayBuffer()
    const download = await entry(({ kind, tenant }) => kind === 'download' && tenant === 'commons')
    assert.equal(download.outcome, 'success')
    const [kicked] = (await rows()).filter(({ tenant, kind }) => tenant === 'commons' && kind === 'kick-off')
    assert.deepEqual([kicked?.subjects?.[1], kicked?.patients], ['Group/g', ['g1']])
  })

  it('records the deletion once', async () => {
    assert.equal((await send(`/bulk-export/jobs/${job}`, { method: 'DELETE' })).status, 202)
    assert.equal((await send(`/bulk-export/jobs/${job}`, { method: 'DELETE' })).status, 404)
    await entry(({ kind, outcome }) => kind === 'delete' && outcome === 'refused')
    const deletions = (await rows()).filter(({ kind, outcome }) => kind === 'delete' && outcome === 'success')
    assert.deepEqual(
      deletions.map(({ subjects, detail }) => [subjects, detail]),
      [[[`Job/${job}`], { state: 'completed' }]],
    )
  })

  /** All AuditEvents of a search, page by page, newest first. */
  async function search(as: string, url: string): Promise<AuditEvent[]> {
    const events: AuditEvent[] = []
    for (let next: string | undefined = url; next !== undefined; ) {
      const answer = await send(next, { as })
      assert.equal(answer.status, 200, await answer.clone().text())
      const bundle = (await answer.json()) as {
        link: { relation: string; url: string }[]
        entry?: { resource: AuditEvent }[]
      }
      assert.deepEqual(structureFaults(bundle, 'Bundle'), [])
      events.push(...(bundle.entry ?? []).map(({ resource }) => resource))
      next = bundle.link.find(({ relation }) => relation === 'next')?.url
    }
    return events
  }

  it('is read as valid AuditEvents, page by page, by who holds the scope by its name', async () => {
    const read = await tokenOf(auditor, 'system/AuditEvent.read')
    const events = await search(read, '/AuditEvent?_count=3')
    const numbers = events.map(({ id }) => Number(id))
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, at) => numbers.length - at),
      'each once, newest first',
    )
    const accepted = events.find(
      ({ entity }) => entity.some(({ what }) => what?.display === `Job/${job}`) && entity.some(({ query }) => query),
    )!
    assert.equal(Buffer.from(accepted.entity.find(({ query }) => query)!.query!, 'base64').toString(), 'Patient/p1')
    assert.deepEqual(
      [accepted.agent[0]!.who?.identifier.value, accepted.agent[0]!.network?.address],
      [app.id, '127.0.0.1'],
    )

    const single = await send(`/AuditEvent/${accepted.id}`, { as: read })
    assert.deepEqual(await single.json(), accepted)
    for (const path of ['/AuditEvent/0', '/AuditEvent/999999', '/AuditEvent/x', '/AuditEvent/1/_history/1']) {
      assert.equal((await send(path, { as: read })).status, 404, path)
    }
    const wildcard = await tokenOf(auditor, 'system/*.read')
    assert.equal((await send('/AuditEvent', { as: wildcard })).status, 403)
    const looked = (await rows()).filter(({ kind, outcome }) => kind === 'audit' && outcome === 'success')
    assert.ok(looked.length > 0 && looked.every(({ agent }) => agent.id === auditor.id))
  })

  it('is searched by date; what is not supported is refused', async () => {
    const read = await tokenOf(auditor, 'system/AuditEvent.read')
    const all = await search(read, '/AuditEvent?date=ge2020')
    const middle = all[Math.floor(all.length / 2)]!.recorded
    const at = (prefix: string) => search(read, `/AuditEvent?date=${prefix}${middle}&date=le${all[0]!.recorded}`)
    const ids = (events: AuditEvent[]) => events.map(({ id }) => id)
    const among = (keep: (recorded: string) => boolean) => ids(all.filter(({ recorded }) => keep(recorded)))
    assert.deepEqual(
      ids(await at('ge')),
      among((recorded) => recorded >= middle),
    )
    assert.deepEqual(
      ids(await at('gt')),
      among((recorded) => recorded > middle),
    )
    assert.deepEqual(
      ids(await at('lt')),
      among((recorded) => recorded < middle),
    )
    assert.deepEqual(
      ids(await at('le')),
      among((recorded) => recorded <= middle),
    )
    assert.deepEqual(
      ids(await at('')),
      among((recorded) => recorded === middle),
    )
    assert.deepEqual(await search(read, '/AuditEvent?date=lt2020-01'), [])
    for (const query of [
      'agent=x',
      'date=yesterday',
      'date=ne2020',
      '_count=0',
      '_count=-1',
      '_count=1&_count=2',
      'page=1',
      '_sort=date',
    ]) {
      assert.equal((await send(`/AuditEvent?${query}`, { as: read })).status, 400, query)
    }
  })

  it('of one tenant is not seen by another', async () => {
    const foreign = await tokenOf(neighbour, 'system/AuditEvent.read')
    assert.equal((await send('/AuditEvent', { as: foreign })).status, 403)
    const own = await search(foreign, `${server.base('other')}/AuditEvent`)
    assert.ok(own.length > 0)
    assert.ok(!JSON.stringify(own).includes('clinic') && !JSON.stringify(own).includes(app.id))
  })

  it('is whole, and neither it nor the logs hold a token, a secret or what a record says', async () => {
    await server.kill('SIGTERM')
    const report = await verifyChains(server.pool, [], () => {})
    assert.deepEqual(report.faults, [])
    assert.ok(report.entries > 20)
    const { rows: kept } = await server.pool.query<{ entry: string }>('select entry from audit_entry')
    const written = `${server.log}${server.messages}${kept.map(({ entry }) => entry).join('\n')}`
    assert.match(written, /"msg":"export accepted"/)
    assert.match(written, /"kind":"download"|"kind": "download"/)
    for (const secret of secrets) {
      assert.ok(secret.length > 8)
      assert.ok(!written.includes(secret), `found ${secret}`)
    }
  })
})
