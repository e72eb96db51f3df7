import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { failCompleted } from '../../src/jobs/mending.ts'
import { partitionMendsMax } from '../../src/protocol/limits.ts'
import { TestServer } from '../server.ts'
import { PatientClient } from '../simulation/patient-client.ts'
import { type StoredFiles, type TestedStore, testedStores } from './tested-stores.ts'

const answerMsMax = 120_000
const pauseMs = 50

/** A finished export of one patient, with the link to its file and where it lies. */
interface Exported {
  readonly job: string
  readonly file: string
  readonly path: () => Promise<string>
}

for (const tested of testedStores)
  describe(`a stored file that is not what was published, ${tested.name}`, { skip: tested.skip }, () =>
    damagedFiles(tested),
  )

function damagedFiles(tested: TestedStore): void {
  let opened: Awaited<ReturnType<TestedStore['open']>>
  let files: StoredFiles
  let server: TestServer
  let headers: Record<string, string>
  let client: PatientClient
  let exported: Exported
  let whole: string

  before(async () => {
    opened = await tested.open()
    server = await TestServer.start(['--workers', '1', ...opened.flags])
    files = await opened.filesOf(server)
    await server.addTenant('clinic')
    const token = await server.token(await server.addClient('clinic'))
    headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    client = new PatientClient(server, 'clinic', token)
    await put('Xu')
    await fetch(`${server.base('clinic')}/Patient/p2`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ resourceType: 'Patient', id: 'p2' }),
    })
  })
  after(async () => {
    await server?.stop()
    opened?.close()
  })
  beforeEach(async () => {
    exported = await exportOnce()
    whole = await (await get('identity')).text()
  })

  async function put(family: string, given: readonly string[] = []): Promise<void> {
    const name = [{ family, given }]
    const body = JSON.stringify({ resourceType: 'Patient', id: 'p1', name })
    const answer = await fetch(`${server.base('clinic')}/Patient/p1`, { method: 'PUT', headers, body })
    assert.ok(answer.ok)
  }

  /** A record that deflates badly: its file has several of the pieces that are read at a time. */
  const putLarge = () => put('Xu', [randomBytes(1_500_000).toString('base64')])

  async function exportOnce(): Promise<Exported> {
    const { job } = await client.kickOff(['p1', 'p2'])
    const { output } = await client.finished(job)
    const file = output[0]!.url
    const path = async () => {
      const { rows } = await server.pool.query<{ path: string }>('select path from part where id = $1', [idOf(file)])
      return rows[0]!.path
    }
    return { job, file, path }
  }

  const get = (coding: string, more: Record<string, string> = {}) =>
    fetch(exported.file, {
      headers: { ...headers, accept: 'application/fhir+ndjson', 'accept-encoding': coding, ...more },
      signal: AbortSignal.timeout(answerMsMax),
    })

  /** Asks until the file is there again, as a client does that heeds `Retry-After`. */
  async function mended(coding: string): Promise<{ readonly etag: string | null; readonly body: string }> {
    for (;;) {
      const answer = await get(coding)
      // It may be broken off once more, until the damage is noted.
      const body = await answer.text().catch(() => undefined)
      if (body === undefined) continue
      if (answer.status === 200) return { etag: answer.headers.get('etag'), body }
      assert.equal(answer.status, 503)
      assert.ok(Number(answer.headers.get('retry-after')) >= 1)
      assert.equal(answer.headers.get('etag'), null)
      assert.match(body, /The stored file is damaged, and is being made again. Ask again later./)
      await pause(pauseMs)
    }
  }

  /** Damages by each of these must be seen at once, before a byte is sent. */
  const visible: Readonly<Record<string, (path: string) => Promise<void>>> = {
    gone: (path) => files.remove(path),
    'cut off': async (path) => files.write(path, (await files.read(path)).subarray(0, -1)),
    longer: async (path) => files.write(path, Buffer.concat([await files.read(path), Buffer.from('\n')])),
    'of the right size by chance': async (path) =>
      files.write(path, Buffer.concat([(await files.read(path)).subarray(0, -2), Buffer.from('\n\n')])),
  }
  for (const [how, damage] of Object.entries(visible)) {
    for (const coding of ['gzip', 'identity']) {
      it(`is made again when it is ${how}, asked for by ${coding}: same URL, same lines, another ETag`, async () => {
        const before = await exported.path()
        const { etag } = headersOf(await get(coding))
        await damage(before)
        const first = await get(coding)
        assert.equal(first.status, 503)
        await first.body?.cancel()
        const again = await mended(coding)
        assert.notEqual(again.etag, etag)
        assert.equal(again.body, whole)
        assert.notEqual(await exported.path(), before)
        assert.deepEqual((await client.finished(exported.job)).output.map(({ url }) => url)[0], exported.file)
        await untilGone(before)
      })
    }
  }

  /** The attempt before goes after the files of the new one are published. */
  async function untilGone(path: string): Promise<void> {
    const deadline = AbortSignal.timeout(answerMsMax)
    while (await files.has(path)) {
      assert.ok(!deadline.aborted, 'the attempt before is removed')
      await pause(pauseMs)
    }
  }

  /** Changes a bit in the deflated lines: all else of a file is its head and its end. */
  async function flipBit(): Promise<void> {
    const path = await exported.path()
    const bytes = await files.read(path)
    bytes[bytes.length >> 1]! ^= 1
    await files.write(path, bytes)
  }

  for (const coding of ['gzip', 'identity']) {
    it(`a small one is refused when a bit has flipped, by ${coding}, and made again`, async () => {
      await put(randomBytes(3_000).toString('base64'))
      exported = await exportOnce()
      whole = await (await get('identity')).text()
      await flipBit()
      const answer = await get(coding)
      assert.equal(answer.status, 503)
      await answer.body?.cancel()
      assert.equal((await mended(coding)).body, whole)
      assert.match(server.log, /stored file damaged/)
    })

    it(`a large one is broken off when a bit has flipped, by ${coding}, and made again`, async () => {
      await putLarge()
      exported = await exportOnce()
      whole = await (await get('identity')).text()
      await flipBit()
      const answer = await get(coding)
      assert.equal(answer.status, 200)
      await assert.rejects(answer.text())
      assert.equal((await mended(coding)).body, whole)
      await put('Xu')
    })
  }

  it('sends nothing of the next answer as its bytes', async () => {
    await putLarge()
    exported = await exportOnce()
    whole = await (await get('identity')).text()
    const path = await exported.path()
    const bytes = await files.read(path)
    // The CRC-32 of the member.
    bytes[bytes.length - 8]! ^= 1
    await files.write(path, bytes)
    const link = await fetch(exported.file, { headers, redirect: 'manual' })
    const { pathname, search } = new URL(link.headers.get('location')!)
    const answers = await pipelined(server.url, [pathname + search, '/livez'])
    assert.match(answers, /^HTTP\/1.1 200/)
    assert.doesNotMatch(answers, /"status":"ok"/)
    assert.equal((await mended('identity')).body, whole)
    await put('Xu')
  })

  for (const coding of ['gzip', 'identity']) {
    it(`of a damaged file no range is sent, whether the damage is in it or not, by ${coding}`, async () => {
      await putLarge()
      exported = await exportOnce()
      whole = await (await get('identity')).text()
      // What was looked at before is looked at again when it has changed.
      assert.equal((await get(coding, { range: 'bytes=0-99' })).status, 206)
      await flipBit()
      const half = whole.length >> 1
      for (const range of ['bytes=0-99', `bytes=${half - 50}-${half + 50}`]) {
        const answer = await get(coding, { range })
        assert.equal(answer.status, 503, range)
        await answer.body?.cancel()
        assert.equal((await mended(coding)).body, whole)
        await flipBit()
      }
      await mended(coding)
      await put('Xu')
    })
  }

  it('what was begun of a damaged file is never continued with one that was made again', async () => {
    const { etag } = headersOf(await get('identity'))
    await files.remove(await exported.path())
    await mended('identity')
    const rest = await get('identity', { range: 'bytes=10-', 'if-range': etag! })
    assert.equal(rest.status, 200)
    assert.equal(await rest.text(), whole)
  })

  it(`is made again ${partitionMendsMax} times; the next time the job has failed, and says so`, async () => {
    for (let time = 0; time < partitionMendsMax; time++) {
      await files.remove(await exported.path())
      assert.equal((await mended('gzip')).body, whole)
    }
    await files.remove(await exported.path())
    const answer = await get('gzip')
    assert.equal(answer.status, 500)
    assert.match(await answer.text(), /cannot be made again. Start a new export./)
    await failed(/were damaged more than 3 times/)
  })

  it('fails its job honestly when the records are not kept any more as they were', async () => {
    await put('Li')
    await untilPruned()
    await files.remove(await exported.path())
    assert.equal((await get('gzip')).status, 503)
    await failed(/A stored file was damaged, and the records that it held are not kept any more as they were./)
    assert.equal((await get('gzip')).status, 404)
    await put('Xu')
  })

  it('a record that has changed is no hindrance while its version is kept', async () => {
    // A live export of another client that looks at this moment keeps the version.
    await server.pool.query(
      `insert into job (id, tenant, client, state, request, url, transaction_time)
       select gen_random_uuid(), 'clinic', 'another', 'running', '{}', '', transaction_time from job where id = $1`,
      [idOf(exported.job)],
    )
    await put('Li')
    await files.remove(await exported.path())
    assert.equal((await mended('gzip')).body, whole)
    await server.pool.query(`delete from job where client = 'another'`)
    await put('Xu')
  })

  it('a deleted job is made nothing of again', async () => {
    await files.remove(await exported.path())
    await fetch(exported.job, { method: 'DELETE', headers })
    assert.equal((await get('gzip')).status, 404)
    await failCompleted(server.pool, idOf(exported.job), 'too late')
    const { rows } = await server.pool.query('select state from job where id = $1', [idOf(exported.job)])
    assert.deepEqual(rows, [{ state: 'deleted' }])
  })

  async function failed(says: RegExp): Promise<void> {
    for (;;) {
      const status = await fetch(exported.job, { headers: { ...headers, accept: 'application/fhir+json' } })
      const body = await status.text()
      if (status.status === 200) {
        await pause(pauseMs)
        continue
      }
      assert.equal(status.status, 500)
      assert.match(body, says)
      return
    }
  }

  async function untilPruned(): Promise<void> {
    for (;;) {
      const { rows } = await server.pool.query(
        `select count(*)::int as left from record where type = 'Patient' and id = 'p1' and superseded < 'infinity'`,
      )
      if (rows[0].left === 0) return
      await pause(pauseMs)
    }
  }
}

const idOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1)

const headersOf = (answer: Response) => {
  void answer.body?.cancel()
  return { etag: answer.headers.get('etag') }
}

/** Sends requests at once on one connection. @returns all that comes until it is closed */
async function pipelined(url: string, paths: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(answerMsMax, () => socket.destroy(new Error('the connection is neither used nor closed')))
  const asked = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAccept-Encoding: identity\r\n\r\n`)
  socket.write(asked.join(''))
  return text(socket)
}
