import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { failuresOfAddress } from '../../src/access/tokens/token-limits.ts'
import { closeConnections } from '../scenarios/exchange.ts'
import { tokenForm } from '../token-request.ts'
import { assertionAttacks } from './assertions.ts'
import { formAttacks } from './forms.ts'
import { type Attack, ask, endpointOf, goodAssertion, openTarget, read, type Target } from './target.ts'
import { tokenAttacks } from './tokens.ts'

const attacks: readonly Attack[] = [...assertionAttacks, ...formAttacks, ...tokenAttacks]

let target: Target
before(async () => {
  target = await openTarget()
})
after(async () => {
  closeConnections()
  await target.server.stop()
})

test('what is attacked works for those who may', async () => {
  assert.equal((await ask(target, tokenForm(await goodAssertion(target)))).status, 200)
  assert.equal((await read(target, `Bearer ${target.token}`)).status, 404)
})

for (const { does, answer: expected, send } of attacks) {
  test(`${does}: ${expected}`, async () => {
    const answer = await send(target)
    const text = answer.body.toString('utf8')
    const body = JSON.parse(text) as { error?: string; issue?: { code: string }[] }
    assert.equal(`${answer.status} ${body.error ?? body.issue?.[0]?.code}`, expected, text)
    assert.equal(answer.headers['x-evil'], undefined)
    assert.doesNotMatch(text, /access_token|at .*\.ts:|stack/i)
    if (answer.status === 401 && body.issue) assert.match(String(answer.headers['www-authenticate']), /^Bearer realm=/)
    // What an attacker has learned is worth nothing if the server stumbles.
    assert.equal((await read(target, `Bearer ${target.token}`)).status, 404)
  })
}

test('every attack was refused', (context) => {
  const names = new Set(attacks.map(({ does }) => does))
  assert.equal(names.size, attacks.length, 'two attacks have one name')
  context.diagnostic(`${attacks.length} attacks on tokens were refused over real HTTP`)
})

const memorySkipped =
  process.platform === 'linux' ? false : 'memory and further loopback addresses are read as on Linux'
const memoryGrowthBytesMax = 48 * 1024 * 1024
const triesMax = 20
/** What is refused is kept back for a while: many wait together. */
const together = 100

test('10,000 wrong attempts: the rate limit holds, memory is flat, another address gets its token', {
  skip: memorySkipped,
}, async (context) => {
  const counts = new Map<number, number>()
  const attempt = async (index: number) => {
    const answer = await ask(target, tokenForm(`${index}.garbage.x`))
    counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
    if (answer.status === 429) assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
  }
  const batch = async (from: number, to: number) => {
    for (let index = from; index < to; index += together) {
      await Promise.all(Array.from({ length: together }, (_, place) => attempt(index + place)))
    }
  }
  const begun = performance.now()
  await batch(0, 2_000)
  const warm = await residentBytes()
  await batch(2_000, 10_000)
  const growth = (await residentBytes()) - warm
  context.diagnostic(`answers: ${JSON.stringify([...counts])}; memory grew by ${Math.round(growth / 1024)} KiB`)
  assert.deepEqual([...counts.keys()].sort(), [401, 429])
  const places = failuresOfAddress.burst + ((performance.now() - begun) / 1_000 + 1) * failuresOfAddress.perSecond
  assert.ok(counts.get(401)! <= places, `${counts.get(401)} attempts for ${places} places`)
  assert.ok(growth < memoryGrowthBytesMax, `memory grew by ${growth} bytes`)
  // A place comes free each second: what is right may get it, and then gives it back to what is wrong.
  let status = 200
  for (let tries = 0; status === 200 && tries < triesMax; tries++) {
    const form = tokenForm(await goodAssertion(target))
    await batch(0, 20)
    status = (await ask(target, form)).status
  }
  assert.equal(status, 429)
  assert.equal(await statusFrom('127.0.0.2', tokenForm(await goodAssertion(target))), 200)
})

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${target.server.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

/** Posts a token request from another address of this machine. */
const statusFrom = (localAddress: string, body: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const outgoing = request(endpointOf(target), { method: 'POST', localAddress, headers, agent: false })
    outgoing.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject)
    outgoing.end(body)
  })

test('no token, secret or assertion is in the log', async () => {
  for (const secret of [target.token, target.secretClient.secret, 'eyJ']) assert.ok(!target.server.log.includes(secret))
})
