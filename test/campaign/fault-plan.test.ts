import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultKind, faultKinds, planFaults } from './fault-plan.ts'

const seeds = Array.from({ length: 200 }, (_, seed) => seed)
const strikesOf = (seed: number, kinds?: readonly FaultKind[]) =>
  planFaults(seed, 12, kinds).flatMap(({ rounds }) => rounds.flatMap(({ strikes }) => strikes))

test('the same seed gives the same plan, another one another', () => {
  assert.deepEqual(planFaults(7, 12), planFaults(7, 12))
  assert.notDeepEqual(planFaults(7, 12), planFaults(8, 12))
})

test('a plan has as many rounds as it should, each numbered and with strikes', () => {
  for (const rounds of [1, 2, 5, 12]) {
    for (const seed of seeds) {
      const planned = planFaults(seed, rounds).flatMap((run) => run.rounds)
      assert.deepEqual(
        planned.map(({ number }) => number),
        Array.from({ length: rounds }, (_, index) => index + 1),
      )
      assert.ok(planned.every(({ strikes }) => strikes.length > 0))
    }
  }
})

test('every kind comes, and with --only no other', () => {
  const all = new Set(seeds.flatMap((seed) => strikesOf(seed)).map(({ kind }) => kind))
  assert.deepEqual([...all].sort(), [...faultKinds].sort())
  for (const kind of faultKinds) {
    const only = new Set(seeds.flatMap((seed) => strikesOf(seed, [kind])).map((strike) => strike.kind))
    assert.deepEqual([...only], [kind])
  }
})

test('a standby is promoted once at most, and where there is none nothing fails over', () => {
  for (const run of seeds.flatMap((seed) => planFaults(seed, 12))) {
    const promotions = run.rounds.flatMap(({ strikes }) => strikes).filter(({ kind }) => kind === 'fail-over').length
    assert.ok(promotions <= (run.site === 'standby' ? 1 : 0))
  }
})
