import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Version } from './history.ts'
import { type Attempt, Ledger, markedRecord } from './ledger.ts'
import { Tally } from './tally.ts'
import { judgeExport, judgeWrites } from './verdict.ts'

const written = Date.UTC(2026, 0, 1)

/** Two acknowledged writes of one record and one of another, and a store that has them. */
function kept() {
  const ledger = new Ledger()
  const history: Version[] = []
  const writes = [
    ['a', 'p1', 1],
    ['b', 'p1', 2],
    ['c', 'p2', 1],
  ] as const
  for (const [index, [marker, id, version]] of writes.entries()) {
    const text = (of: string) => markedRecord('Patient', of, marker, '')
    const time = written + index
    const body = text(id).text(version, time)
    const answered = { id, version, text: body }
    ledger.add({ marker, type: 'Patient', id, text, outcome: 'acknowledged', answered })
    history.push({ type: 'Patient', id, version, written: time, updated: time, body })
  }
  return { ledger, history }
}

function violationsOf(ledger: Ledger, history: readonly Version[], current = currentOf(history)): Tally {
  const tally = new Tally()
  judgeWrites(ledger, { history, current }, tally)
  return tally
}

const currentOf = (history: readonly Version[]) =>
  new Map(history.map(({ type, id, version, body }) => [`${type}/${id}`, { version, body }]))

const changed = (attempt: Attempt | undefined, change: Partial<Attempt>) => Object.assign(attempt!, change)

describe('the verdict on writes', () => {
  it('finds nothing where everything is kept', () => {
    const { ledger, history } = kept()
    const tally = violationsOf(ledger, history)
    assert.deepEqual(tally.violations, [])
    assert.equal(tally.counts.acknowledgedWrites, 3)
  })

  it('finds what was acknowledged and is lost, or is another text, version or record', () => {
    for (const change of [
      () => undefined,
      (version: Version) => ({ ...version, body: version.body!.replace('1.10', '1.1') }),
      (version: Version) => ({ ...version, version: 2 }),
    ]) {
      const { ledger, history } = kept()
      const last = change(history.pop()!)
      const tally = violationsOf(ledger, last ? [...history, last] : history)
      assert.ok(tally.violations.length > 0)
      assert.equal(tally.counts.lostWrites, 1)
    }
  })

  it('finds what was refused and is there, what is there twice, what nobody wrote, and what is not current', () => {
    const { ledger, history } = kept()
    changed(ledger.attempts.get('c'), { outcome: 'refused' })
    assert.match(violationsOf(ledger, history).violations.join(), /refused but is there/)
    changed(ledger.attempts.get('c'), { outcome: 'unknown' })
    assert.deepEqual(violationsOf(ledger, history).violations, [])
    const again = { ...history[2]!, version: 2, body: markedRecord('Patient', 'p2', 'c', '').text(2, written + 2) }
    assert.match(violationsOf(ledger, [...history, again]).violations.join(), /applied twice/)
    const foreign = { ...history[2]!, id: 'p3', body: markedRecord('Patient', 'p3', 'd', '').text(1, written + 2) }
    assert.match(violationsOf(ledger, [...history, foreign]).violations.join(), /written by nobody/)
    assert.match(violationsOf(ledger, history, currentOf(history.slice(0, 1))).violations.join(), /is at version/)
  })

  it('finds a transaction that was applied in part', () => {
    const { ledger, history } = kept()
    for (const marker of ['b', 'c']) changed(ledger.attempts.get(marker), { outcome: 'unknown', bundle: 'one' })
    assert.deepEqual(violationsOf(ledger, history).violations, [])
    assert.match(violationsOf(ledger, history.slice(0, 2)).violations.join(), /applied in part: 1 of 2/)
  })

  it('finds an acknowledged deletion that is not there, and one that nobody asked for', () => {
    const { ledger, history } = kept()
    const tombstone: Version = {
      type: 'Patient',
      id: 'p2',
      version: 2,
      written: written + 9,
      updated: written + 9,
      body: null,
    }
    assert.match(violationsOf(ledger, [...history, tombstone]).violations.join(), /was deleted 1 times, asked 0 times/)
    ledger.deletions.push({ key: 'Patient/p2', outcome: 'acknowledged', version: 2 })
    assert.deepEqual(violationsOf(ledger, [...history, tombstone]).violations, [])
    assert.match(violationsOf(ledger, history).violations.join(), /deletion of Patient\/p2 was acknowledged/)
  })
})

describe('the verdict on exports', () => {
  const request = { patients: ['p1', 'p2'], types: ['Patient'], provenance: 'relevant' as const }

  function judged(time: number, lines: readonly string[]): Tally {
    const { ledger, history } = kept()
    const tally = new Tally()
    const model = judgeWrites(ledger, { history, current: currentOf(history) }, tally)
    judgeExport(model, { request, time, job: 'job', lines, errors: [] }, tally)
    return tally
  }

  it('takes the state as of the time, and no other', () => {
    const [first, second, third] = kept().history.map(({ body }) => body!) as [string, string, string]
    assert.deepEqual(judged(written, [first]).violations, [])
    assert.deepEqual(judged(written + 2, [second, third]).violations, [])
    assert.match(judged(written + 2, [first, third]).violations.join(), /1 missing.*1 wrong/)
    assert.match(judged(written + 2, [second]).violations.join(), /1 missing/)
    assert.match(judged(written + 2, [second, third, third]).violations.join(), /1 twice/)
  })
})
