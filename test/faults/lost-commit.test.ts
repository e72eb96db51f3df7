import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { newTenant } from '../campaign/new-tenant.ts'
import { openSite, type Site } from '../campaign/site.ts'

const pollMs = 100
/** What a connection sends before its commit is the one of a write, of a kick-off, or of a cancellation. */
const copies = 'copy record '
const cuts = 'cut()'
const cancels = `set state = 'deleted'`

describe('a write whose commit succeeds, but whose answer the network loses', () => {
  let site: Site
  let token: string

  before(async () => {
    site = await openSite('external', 1)
    token = await newTenant(site, 'clinic')
  })
  after(() => site.close())

  async function ask(method: string, path: string, body?: unknown, more: Record<string, string> = {}) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json', ...more }
    const url = path.startsWith('http') ? path : `${site.servers[0]!.url}/r4/clinic${path}`
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  /** The answer while the commit of such a connection is lost: it leaves open what has become of the request. */
  async function lost(after: string, asked: () => ReturnType<typeof ask>): Promise<void> {
    const done = site.link!.loseCommit(after)
    const { status, headers, text } = await asked()
    assert.equal(status, 503, text)
    assert.ok(Number(headers.get('retry-after')) > 0)
    assert.match(text, /Look whether it has taken effect before you ask again/)
    await done
  }

  const versions = async (): Promise<number> =>
    (await site.pool.query(`select count(*)::int as count from campaign.history where tenant = 'clinic'`)).rows[0].count

  const observation = (value: string) => ({ resourceType: 'Observation', identifier: [{ system: 'urn:x', value }] })

  it('is a PUT that may be repeated: it changes nothing more', async () => {
    const put = () => ask('PUT', '/Patient/p1', { resourceType: 'Patient', id: 'p1' })
    await lost(copies, put)
    assert.equal((await ask('GET', '/Patient/p1')).status, 200)
    const again = await put()
    assert.equal(again.status, 200)
    assert.equal(again.headers.get('etag'), 'W/"1"')
  })

  it('is a POST that may be repeated if it has a condition, and only then', async () => {
    const before = await versions()
    const once = () => ask('POST', '/Observation', observation('once'), { 'if-none-exist': 'identifier=urn:x|once' })
    await lost(copies, once)
    assert.equal((await once()).status, 200)
    assert.equal(await versions(), before + 1)
    const plain = () => ask('POST', '/Observation', observation('plain'))
    await lost(copies, plain)
    assert.equal((await plain()).status, 201)
    assert.equal(await versions(), before + 3)
  })

  it('is a DELETE that may be repeated', async () => {
    await ask('PUT', '/Patient/p2', { resourceType: 'Patient', id: 'p2' })
    const remove = () => ask('DELETE', '/Patient/p2')
    await lost(copies, remove)
    const before = await versions()
    assert.equal((await ask('GET', '/Patient/p2')).status, 410)
    assert.equal((await remove()).status, 204)
    assert.equal(await versions(), before)
  })

  it('is a transaction of PUTs and conditional creates that may be repeated', async () => {
    const post = {
      resource: observation('both'),
      request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=urn:x|both' },
    }
    const put = { resource: { resourceType: 'Patient', id: 'p3' }, request: { method: 'PUT', url: 'Patient/p3' } }
    const transact = () => ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: [put, post] })
    await lost(copies, transact)
    const before = await versions()
    const again = await transact()
    assert.equal(again.status, 200)
    assert.equal(await versions(), before)
  })

  it('is a kick-off whose repetition names the job that runs, and a cancellation that may be repeated', async () => {
    const body = {
      resourceType: 'Parameters',
      parameter: [{ name: 'patient', valueReference: { reference: 'Patient/p1' } }],
    }
    const headers = { prefer: 'respond-async', accept: 'application/fhir+json' }
    const kickOff = () => ask('POST', '/Patient/$export', body, headers)
    // Planning is held up where it looks at packs, so that the job is there for as long as the test needs it, and its row is free.
    const holder = await site.pool.connect()
    await holder.query(
      'begin; set local idle_in_transaction_session_timeout = 0; lock table pack in access exclusive mode',
    )
    let job: string
    try {
      await lost(cuts, kickOff)
      const again = await kickOff()
      assert.equal(again.status, 429, again.text)
      job = /Running: ([^"\s]+)/.exec(again.text)![1]!
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    while ((await ask('GET', job)).status === 202) await pause(pollMs)
    assert.equal((await ask('GET', job)).status, 200)
    await lost(cancels, () => ask('DELETE', job))
    assert.equal((await ask('GET', job)).status, 404)
    assert.equal((await ask('DELETE', job)).status, 404)
  })
})
