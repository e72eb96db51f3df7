import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { closeConnections, exchange } from '../scenarios/exchange.ts'
import { TestServer } from '../server.ts'

/** As much as a server takes when all is quiet, so many times at the peak of an attack. */
const timesIdleMax = 2

const bodyBytes = 14 * 1024 * 1024
const tenants = ['clinic', 'practice']
/** Of each client, so many of its requests are under way at a time, and so many are answered in the end. */
const [atATime, answeredMin] = [2, 2]

let server: TestServer
const tokens: { readonly tenant: string; readonly token: string }[] = []

before(async () => {
  server = await TestServer.start(['--rate-limits', 'client=off', '--workers', '1'], { launched: true })
  for (const tenant of tenants) {
    await server.addTenant(tenant)
    for (let count = 0; count < 2; count++) {
      tokens.push({ tenant, token: await server.token(await server.addClient(tenant)) })
    }
  }
})
after(async () => {
  closeConnections()
  await server.stop()
})

const megabytes = (field: 'VmRSS' | 'VmHWM'): number =>
  Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024

const extension = (text: string, count: number, line = ''): string =>
  Array.from({ length: count }, (_, at) => `${line}{"url":"http://x.example/${at}","valueString":"${text}"}`).join()
const record = (id: string, x: string): string => `{"resourceType":"Basic","id":"${id}","x":${x}}`

/** Bodies of the largest size that take memory in different ways: as bytes, as wide text, as values, as many lines. */
const bodies: readonly ((id: string) => string)[] = [
  (id) => record(id, `"${'x'.repeat(bodyBytes)}"`),
  (id) => record(id, `"${'語'.repeat(bodyBytes / 3)}"`),
  (id) => record(id, `[${extension('y'.repeat(200), 55_000)}]`),
  (id) => record(id, `[${extension('y'.repeat(200), 55_000, '\n')}]`),
]

async function sendUntilAnswered(tenant: string, token: string, first: number): Promise<void> {
  let answered = 0
  for (let count = first; answered < answeredMin; count++) {
    const id = `m${count % 3}`
    const { status } = await exchange({
      method: 'PUT',
      url: `${server.base(tenant)}/Basic/${id}`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      body: bodies[count % bodies.length]!(id),
    })
    if (status === 200 || status === 201) answered++
    // 0: told to come again while it was still sending.
    else assert.ok([429, 503].includes(status), `${status}`)
    if (status === 429 || status === 503) await pause(100)
  }
}

test('the largest bodies of several tenants at once do not double the memory of the server', {
  skip: process.platform !== 'linux' && 'only Linux tells the peak of a process',
}, async (context) => {
  // What is loaded with the first request of a kind belongs to an idle server.
  const [{ tenant, token }] = tokens as [(typeof tokens)[number]]
  const small = record('small', '1')
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' }
  await exchange({ method: 'PUT', url: `${server.base(tenant)}/Basic/small`, headers, body: small })
  await pause(2_000)
  const idle = megabytes('VmRSS')
  // The peak is counted from here on.
  writeFileSync(`/proc/${server.pid}/clear_refs`, '5')
  await Promise.all(
    tokens.flatMap(({ tenant, token }, client) =>
      Array.from({ length: atATime }, (_, at) => sendUntilAnswered(tenant, token, client + at)),
    ),
  )
  const peak = megabytes('VmHWM')
  context.diagnostic(`${Math.round(idle)} MB, at the peak ${Math.round(peak)} MB`)
  assert.ok(peak <= timesIdleMax * idle, `${peak} MB at the peak, ${idle} MB before`)
})
