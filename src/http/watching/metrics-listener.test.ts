import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { listenForMetrics, metricsConnectionsMax } from './metrics-listener.ts'

const page = { contentType: 'text/plain', scrape: async () => 'up 1\n' }

test('whoever asks must have the token where there is one', async () => {
  const token = 'of-sixteen-chars'
  const { url, close } = await listenForMetrics({ host: '127.0.0.1', port: 0 }, page, token)
  const ask = (authorization: string) => fetch(url, { headers: { authorization } })
  assert.equal(await (await ask(`Bearer ${token}`)).text(), 'up 1\n')
  for (const wrong of ['', token, `Bearer ${token}-`, 'Bearer ']) {
    const answer = await ask(wrong)
    assert.deepEqual([answer.status, await answer.text()], [401, 'The token is wrong.\n'])
  }
  await close()
})

test('a page that cannot be made is 500, and says nothing', async () => {
  const broken = { ...page, scrape: () => Promise.reject(new Error('secret')) }
  const { url, close } = await listenForMetrics({ host: '127.0.0.1', port: 0 }, broken, undefined)
  const answer = await fetch(url)
  assert.deepEqual([answer.status, await answer.text()], [500, ''])
  await close()
})

test('connections have a bound: one more is closed, and the others stay', async () => {
  const { url, close } = await listenForMetrics({ host: '127.0.0.1', port: 0 }, page, undefined)
  const open = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const ask = async (socket: Socket): Promise<string> => {
    const ended = once(socket, 'close').then(() => 'closed')
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
    return Promise.race([once(socket, 'data').then(([data]) => String(data).slice(0, 12)), ended])
  }
  const sockets: Socket[] = []
  for (let count = 0; count < metricsConnectionsMax; count++) {
    const socket = await open()
    assert.equal(await ask(socket), 'HTTP/1.1 200')
    sockets.push(socket)
  }
  assert.equal(await ask(await open()), 'closed')
  assert.equal(await ask(sockets[0]!), 'HTTP/1.1 200')
  const gone = once(sockets[0]!, 'close')
  sockets[0]!.destroy()
  await gone
  await close()
})
