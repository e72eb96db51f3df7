import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestServer } from '../server.ts'
import { type StoredFiles, type TestedStore, testedStores } from './tested-stores.ts'

const pauseMs = 50
const answerMsMax = 120_000

interface Manifest {
  readonly output: readonly { readonly url: string; readonly type: string; readonly count: number }[]
}

for (const tested of testedStores)
  describe(`a file of parts of several partitions, ${tested.name}`, { skip: tested.skip }, () => joinedFiles(tested))

/** What belongs to nobody is a partition of its own in the export of a system: so two partitions have an Observation. */
function joinedFiles(tested: TestedStore): void {
  let opened: Awaited<ReturnType<TestedStore['open']>>
  let stored: StoredFiles
  let server: TestServer
  let headers: Record<string, string>
  let file: Manifest['output'][number]
  let whole: string

  before(async () => {
    opened = await tested.open()
    server = await TestServer.start(['--workers', '2', ...opened.flags])
    stored = await opened.filesOf(server)
    await server.addTenant('clinic', 'hl7')
    const token = await server.token(await server.addClient('clinic'))
    headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    const told = { resourceType: 'Observation', status: 'final', code: { text: 'told' } }
    await put({ resourceType: 'Patient', id: 'p1' })
    await put({ ...told, id: 'of-patient', subject: { reference: 'Patient/p1' } })
    await put({ ...told, id: 'of-nobody' })
    const { output } = await exported()
    const files = output.filter(({ type }) => type === 'Observation')
    assert.equal(files.length, 1)
    file = files[0]!
    whole = await (await get('identity')).text()
  })
  after(async () => {
    await server?.stop()
    opened?.close()
  })

  async function put(record: { resourceType: string; id: string; subject?: object }): Promise<void> {
    const url = `${server.base('clinic')}/${record.resourceType}/${record.id}`
    assert.ok((await fetch(url, { method: 'PUT', headers, body: JSON.stringify(record) })).ok)
  }

  async function exported(): Promise<Manifest> {
    const accept = { ...headers, accept: 'application/fhir+json', prefer: 'respond-async' }
    const kickOff = await fetch(`${server.base('clinic')}/$export`, { headers: accept })
    assert.equal(kickOff.status, 202, await kickOff.text())
    for (;;) {
      const status = await fetch(kickOff.headers.get('content-location')!, { headers })
      const body = await status.text()
      if (status.status === 200) return JSON.parse(body) as Manifest
      assert.equal(status.status, 202, body)
      await pause(pauseMs)
    }
  }

  const get = (coding: string, more: Record<string, string> = {}) =>
    fetch(file.url, {
      headers: { ...headers, accept: 'application/fhir+ndjson', 'accept-encoding': coding, ...more },
      signal: AbortSignal.timeout(answerMsMax),
    })

  /** The parts of the file, in order. */
  async function parts(): Promise<{ readonly id: string; readonly path: string }[]> {
    const { rows } = await server.pool.query<{ id: string; path: string }>(
      'select id, path from part where file = $1 order by partition, number',
      [file.url.split('/').at(-1)],
    )
    return rows
  }

  it('is one file of the manifest, with all of their records, by both codings', async () => {
    assert.equal(file.count, 2)
    assert.equal((await parts()).length, 2)
    const ids = whole.trimEnd().split('\n')
    assert.deepEqual(ids.map((line) => JSON.parse(line).id).sort(), ['of-nobody', 'of-patient'])
    const zipped = await get('gzip')
    assert.equal(zipped.headers.get('content-encoding'), 'gzip')
    assert.equal(await zipped.text(), whole)
  })

  it('is sent in ranges, and what HEAD says of it is true', async () => {
    const at = whole.indexOf('\n') - 3
    const range = await get('identity', { range: `bytes=${at}-${at + 9}` })
    assert.equal(range.status, 206)
    assert.equal(await range.text(), whole.slice(at, at + 10))
    const head = await fetch(file.url, { method: 'HEAD', headers: { ...headers, 'accept-encoding': 'identity' } })
    assert.equal(Number(head.headers.get('content-length')), Buffer.byteLength(whole))
  })

  it('is asked for by its own URL alone', async () => {
    const [, second] = await parts()
    const answer = await fetch(file.url.replace(/[^/]+$/, second!.id), { headers })
    assert.equal(answer.status, 404)
  })

  for (const number of [0, 1]) {
    for (const [how, damage] of [
      ['gone', (path: string) => stored.remove(path)],
      ['cut off', async (path: string) => stored.write(path, (await stored.read(path)).subarray(0, 20))],
    ] as const) {
      it(`is made again where its part ${number} is ${how}: same URL, same lines, another ETag`, async () => {
        const before = await parts()
        const etag = (await get('gzip', { 'if-none-match': '*' })).headers.get('etag')
        await damage(before[number]!.path)
        const first = await get('gzip')
        // Damage of the first part shows before a byte is sent.
        if (number === 0) assert.equal(first.status, 503)
        await first.arrayBuffer().catch(() => {})
        let tag: string | null
        for (;;) {
          const answer = await get('gzip')
          tag = answer.headers.get('etag')
          // It is broken off when the damage is met behind its first bytes.
          const body = await answer.text().catch(() => undefined)
          if (answer.status === 200 && body !== undefined) {
            assert.equal(body, whole)
            break
          }
          if (answer.status !== 200) assert.equal(answer.status, 503)
          await pause(pauseMs)
        }
        assert.notEqual(tag, etag)
        const again = await parts()
        assert.notEqual(again[number]!.path, before[number]!.path)
        assert.equal(again[1 - number]!.path, before[1 - number]!.path)
      })
    }
  }
}
