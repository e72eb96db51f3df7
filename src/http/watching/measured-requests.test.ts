import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import fastify from 'fastify'
import type { Labels } from '../../telemetry/meter.ts'
import { measureRequests } from './measured-requests.ts'

test('a client that gives up before it is answered was told no status', async (t) => {
  const app = fastify()
  t.after(() => app.close())
  const measured: (string | undefined)[] = []
  const ended = Promise.withResolvers<void>()
  const observe = (_name: string, _value: number, labels: Labels = {}) => {
    measured.push(labels.http_response_status_code)
    if (measured.length === 2) ended.resolve()
  }
  measureRequests(app, { count: () => {}, observe }, 'http')
  app.get('/answered', async () => 'ok')
  const asked = Promise.withResolvers<void>()
  app.get('/waits', () => {
    asked.resolve()
    return new Promise(() => {})
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const ask = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  ask('/answered')
  await once(socket, 'data')
  ask('/waits')
  await asked.promise
  socket.destroy()
  await ended.promise
  assert.deepEqual(measured, ['200', 'none'])
})
