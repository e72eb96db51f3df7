import assert from 'node:assert/strict'
import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import { TestServer } from '../server.ts'
import { PatientClient } from '../simulation/patient-client.ts'

const answerMsMax = 20_000

describe('a stored file that is not what was published', () => {
  let server: TestServer
  let link: string
  let path: string
  let original: string

  before(async () => {
    server = await TestServer.start(['--workers', '1'])
    await server.addTenant('clinic')
    const token = await server.token(await server.addClient('clinic'))
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    const body = JSON.stringify({ resourceType: 'Patient', id: 'p1', name: [{ family: 'Xu'.repeat(2_000) }] })
    await fetch(`${server.base('clinic')}/Patient/p1`, { method: 'PUT', headers, body })
    const client = new PatientClient(server, 'clinic', token)
    const { job } = await client.kickOff(['p1'])
    const { output } = await client.finished(job)
    const answer = await fetch(output[0]!.url, {
      headers: { ...headers, accept: 'application/fhir+ndjson' },
      redirect: 'manual',
    })
    link = answer.headers.get('location')!
    const { rows } = await server.pool.query<{ path: string }>(`select path from part where type = 'Patient'`)
    path = join(await server.filesFolder(), rows[0]!.path)
    original = join(server.directory, 'original')
    await copyFile(path, original)
  })
  after(() => server.stop())
  beforeEach(() => copyFile(original, path))

  const get = (coding: string) =>
    fetch(link, { headers: { 'accept-encoding': coding }, signal: AbortSignal.timeout(answerMsMax) })

  async function refused(coding: string): Promise<void> {
    const answer = await get(coding)
    assert.equal(answer.status, 500)
    assert.equal(answer.headers.get('etag'), null)
    assert.match(await answer.text(), /The stored file is damaged or gone. Start a new export./)
  }

  it('is sent while it is whole', async () => {
    for (const coding of ['gzip', 'identity']) assert.match(await (await get(coding)).text(), /XuXu/)
  })

  it('is answered 500 when it is gone, cut off or longer', async () => {
    const { length } = await readFile(original)
    await truncate(path, length - 1)
    for (const coding of ['gzip', 'identity']) await refused(coding)
    await writeFile(path, '\n', { flag: 'a' })
    await writeFile(path, '\n', { flag: 'a' })
    for (const coding of ['gzip', 'identity']) await refused(coding)
    await rm(path)
    for (const coding of ['gzip', 'identity']) await refused(coding)
    assert.match(server.log, /stored file damaged/)
  })

  it('breaks the transfer off when it shows on the way, and nothing of the next answer comes as its bytes', async () => {
    const bytes = await readFile(original)
    // The CRC-32 of the last member.
    bytes[bytes.length - 8]! ^= 1
    await writeFile(path, bytes)
    const answers = await pipelined(server.url, [new URL(link).pathname + new URL(link).search, '/livez'])
    assert.doesNotMatch(answers, /"status":"ok"/)
  })
})

/** Sends requests at once on one connection. @returns all that comes until it is closed */
async function pipelined(url: string, paths: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setTimeout(answerMsMax, () => socket.destroy(new Error('the connection is neither used nor closed')))
  const asked = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAccept-Encoding: identity\r\n\r\n`)
  socket.write(asked.join(''))
  return text(socket)
}
