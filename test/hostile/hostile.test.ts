import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ScenarioSuite } from '../scenarios/suite.ts'
import { bodyAttacks } from './bodies.ts'
import { browserAttacks } from './browsers.ts'
import { linkAttacks } from './links.ts'
import { pathAttacks } from './paths.ts'
import { strangerAttacks } from './strangers.ts'
import { type Attack, assertUnharmed, closeAttackConnections, type Target, targetOn } from './target.ts'
import { wireAttacks } from './wire.ts'

const tables: Readonly<Record<string, readonly Attack[]>> = {
  strangers: strangerAttacks,
  'signed links': linkAttacks,
  paths: pathAttacks,
  'the wire': wireAttacks,
  bodies: bodyAttacks,
  browsers: browserAttacks,
}

let target: Target
let held = 0

before(async () => {
  target = await targetOn(await ScenarioSuite.open())
})
after(async () => {
  closeAttackConnections()
  await target.suite.close()
})

for (const [topic, attacks] of Object.entries(tables)) {
  describe(topic, () => {
    for (const { against, attack, run } of attacks) {
      test(`${against}: ${attack}`.slice(0, 200), async () => {
        await run(target)
        held += 1
      })
    }
  })
}

test('all attacks were held off, and the owner still has everything', async (context) => {
  await assertUnharmed(target)
  const count = Object.values(tables).flat().length
  context.diagnostic(`${held} of ${count} attacks held off`)
  assert.equal(held, count)
})

test('the log of all this holds no token, no signature and no record', () => {
  const { log } = target.suite.server
  for (const caller of [target.owner, target.stranger, target.foreigner]) assert.ok(!log.includes(caller.token))
  assert.ok(!log.includes(new URL(target.link).searchParams.get('signature')!))
  assert.doesNotMatch(log, /request failed|"resourceType"|eyJ[\w-]{10,}/)
})
