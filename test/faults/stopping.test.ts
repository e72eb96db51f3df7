import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TestServer } from '../server.ts'
import { PatientClient } from '../simulation/patient-client.ts'

/** Much more than the buffers of a connection take. */
const patients = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7']
const noiseBytes = 1_500_000
const downloads = 6
const pollMs = 50
/** What a living server holds: its workers' numbers, and the directory. */
const holds = `select from pg_locks where locktype = 'advisory' and classid in (7062, 7063)`

test('SIGTERM in the middle of broken and unread downloads ends the program, and nothing of it is left', async (t) => {
  const server = await TestServer.start(['--workers', '1'])
  t.after(() => server.stop())
  await server.addTenant('clinic')
  const token = await server.token(await server.addClient('clinic'))
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
  for (const id of patients) {
    const div = randomBytes(noiseBytes).toString('base64')
    const body = JSON.stringify({ resourceType: 'Patient', id, text: { div } })
    const { status } = await fetch(`${server.base('clinic')}/Patient/${id}`, { method: 'PUT', headers, body })
    assert.equal(status, 201)
  }
  const client = new PatientClient(server, 'clinic', token)
  const { output } = await client.finished((await client.kickOff(patients)).job)
  const answer = await fetch(output[0]!.url, { headers, redirect: 'manual' })
  const link = answer.headers.get('location')!

  const sockets = await Promise.all(Array.from({ length: downloads }, () => halfRead(link)))
  for (const socket of sockets.slice(0, downloads / 2)) socket.resetAndDestroy()
  await server.kill('SIGTERM')
  for (const socket of sockets) socket.destroy()

  const files = await readdir(await server.filesFolder(), { recursive: true, withFileTypes: true })
  const parts = await server.pool.query('select path from part')
  assert.equal(files.filter((entry) => entry.isFile()).length, parts.rowCount)
  while ((await server.pool.query(holds)).rowCount !== 0) await pause(pollMs)
  await server.spawn(['--workers', '1'])
  assert.equal((await client.lines(output[0]!)).length, output[0]!.count)
})

/** Asks for a file and reads nothing of it but the beginning. */
async function halfRead(url: string): Promise<Socket> {
  const { hostname, port, pathname, search } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\nAccept-Encoding: identity\r\n\r\n`)
  const [bytes] = await once(socket, 'data')
  socket.pause()
  assert.match(String(bytes), /^HTTP\/1\.1 200 /)
  return socket
}
