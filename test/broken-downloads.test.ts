import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { parsePage, sumOf } from './prometheus-text.ts'
import { TestServer } from './server.ts'
import { PatientClient } from './simulation/patient-client.ts'

const pollMs = 30
/** A file that no buffers of a connection hold. */
const largeCharacters = 6_000_000

describe('downloads that their readers leave', { timeout: 600_000 }, () => {
  let server: TestServer
  let metrics: string
  let path: string

  before(async () => {
    server = await TestServer.start(['--metrics', '127.0.0.1:0', '--workers', '1', '--rate-limits', 'poll=off'])
    metrics = await server.metricsUrl()
    await server.addTenant('clinic')
    const token = await server.token(await server.addClient('clinic'))
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
    // What does not deflate.
    const div = Buffer.from(Array.from({ length: largeCharacters }, (_, at) => 33 + ((at * at * 31 + at * 17) % 89)))
    const text = div.toString('latin1').replaceAll('"', 'x').replaceAll('\\', 'y')
    for (const id of ['p1', 'p2']) {
      const body = JSON.stringify({ resourceType: 'Patient', id, name: [{ text }] })
      const answer = await fetch(`${server.base('clinic')}/Patient/${id}`, { method: 'PUT', headers, body })
      assert.ok(answer.status < 300, await answer.text())
    }
    const patients = new PatientClient(server, 'clinic', token)
    const { job } = await patients.kickOff(['p1', 'p2'])
    const { output } = await patients.finished(job)
    const link = await fetch(output[0]!.url, { headers, redirect: 'manual' })
    const { pathname, search } = new URL(link.headers.get('location')!)
    path = pathname + search
  })
  after(() => server.stop())

  const page = async () => parsePage(await (await fetch(metrics)).text())
  const lines = () => server.log.split('\n').filter((line) => /"download broken off"|"slow reader"/.test(line))

  /** Asks for the file so often on one connection, and leaves when the first bytes have come. */
  async function leave(requests: number): Promise<void> {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(requests))
    await once(socket, 'data')
    socket.pause()
    await pause(pollMs)
    socket.destroy()
    await once(socket, 'close')
  }

  it('are one line of the log each, one count each, and nothing of them goes on', async () => {
    const [alone, together] = [5, 4]
    for (let count = 0; count < alone; count++) await leave(1)
    await leave(together)
    for (;;) {
      const found = await page()
      const counted = sumOf(found, 'millrace_downloads_total', { outcome: 'broken off' })
      const active = sumOf(found, 'http_server_active_requests')
      // The log comes a moment later than the count.
      if (counted! >= alone + 1 && active === 0 && counted === lines().length) break
      await pause(pollMs)
    }
    const told = lines().length
    await pause(pollMs * 10)
    assert.equal(lines().length, told)
  })

  it('do not keep the server from stopping', async () => {
    const before = server.pid
    await server.kill('SIGTERM')
    assert.ok(before > 0)
    assert.match(server.log, /"msg":"stopped"/)
  })
})
