import assert from 'node:assert/strict'
import { after, before, describe, it, test } from 'node:test'
import type { Pool } from 'pg'
import { openTestStore } from '../../database/store.fixture.ts'
import { isOpen, somebody } from '../../fhir/open-reference.ts'
import { ownersMax } from '../../fhir/ownership.ts'
import { type Draft, draftOf, draftOfLine, provenanceTargetsMax } from '../draft.ts'
import type { Change } from './change.ts'
import { write } from './write.ts'

let pool: Pool
let close: () => Promise<void>

before(async () => {
  ;({ pool, close } = await openTestStore())
})
after(() => close())

function draft(resource: object): Draft {
  const made = draftOf(JSON.stringify(resource), [])
  assert.ok('text' in made, 'fault' in made ? made.fault : '')
  return made
}

const provenance = (id: string, ...targets: string[]): Change => ({
  kind: 'put',
  draft: draft({ resourceType: 'Provenance', id, target: targets.map((reference) => ({ reference })) }),
})
const condition = (id: string): Change => ({
  kind: 'put',
  draft: draft({ resourceType: 'Condition', id, subject: { reference: 'Patient/p' } }),
})

async function awaited(tenant: string): Promise<string[]> {
  const { rows } = await pool.query(
    `select type || '/' || id || ' by ' || provenance as row from awaited_target where tenant = $1 order by 1`,
    [tenant],
  )
  return rows.map(({ row }) => row)
}

test('what a Provenance waits for goes when it is changed, deleted, or when it arrives', async () => {
  await write(pool, 't', [provenance('a', 'Condition/1', 'Condition/2'), provenance('b', 'Condition/2')])
  assert.deepEqual(await awaited('t'), ['Condition/1 by a', 'Condition/2 by a', 'Condition/2 by b'])
  await write(pool, 't', [provenance('a', 'Condition/2', 'Condition/3')])
  assert.deepEqual(await awaited('t'), ['Condition/2 by a', 'Condition/2 by b', 'Condition/3 by a'])
  await write(pool, 't', [{ kind: 'delete', key: { type: 'Provenance', id: 'b' } }])
  assert.deepEqual(await awaited('t'), ['Condition/2 by a', 'Condition/3 by a'])
  await write(pool, 't', [condition('2')])
  assert.deepEqual(await awaited('t'), ['Condition/3 by a'])
  await write(pool, 't', [provenance('a', 'Condition/2')])
  assert.deepEqual(await awaited('t'), [])
  const { rows } = await pool.query(
    `select id, owner from record where tenant = 't' and type = 'Provenance' and superseded = 'infinity' and not deleted`,
  )
  assert.deepEqual(rows, [{ id: 'a', owner: 'p' }])
})

test('changing what waits for much again and again leaves nothing behind', async () => {
  for (let round = 0; round < 5; round++) {
    const targets = Array.from({ length: 100 }, (_, at) => `Condition/${round}-${at}`)
    await write(pool, 'again', [provenance('a', ...targets)])
    assert.equal((await awaited('again')).length, 100)
  }
})

test('a Provenance that stricter rules would refuse does not stand in the way of its targets', async () => {
  await write(pool, 'old', [provenance('a', 'Condition/1')])
  // As it could be stored before a member that stands twice was refused at every depth.
  const sql = `update record set body = replace(body, '"target":', '"agent":[{"who":1,"who":2}],"target":') where tenant = 'old'`
  assert.equal((await pool.query(sql)).rowCount, 1)
  await write(pool, 'old', [condition('1')])
  const { rows } = await pool.query(
    `select owner, version, body from record where tenant = 'old' and type = 'Provenance' and superseded = 'infinity'`,
  )
  assert.equal(rows.length, 1)
  assert.equal(rows[0].owner, 'p')
  assert.match(rows[0].body, /"agent":\[\{"who":1,"who":2\}\],"target"/)
})

test('a Provenance may have as many targets as the bound, and not one more, whether it is parsed or scanned', () => {
  const text = (count: number) =>
    JSON.stringify({
      resourceType: 'Provenance',
      id: 'a',
      target: Array.from({ length: count }, (_, at) => ({ reference: `Condition/${at}` })),
    })
  for (const read of [
    (source: string) => draftOf(source, []),
    (source: string) => draftOfLine(Buffer.from(source), []),
  ]) {
    const most = read(text(provenanceTargetsMax))
    assert.ok('targets' in most && most.targets.length === provenanceTargetsMax)
    assert.deepEqual(read(text(provenanceTargetsMax + 1)), {
      fault: 'more than 10000 targets',
      expression: 'Provenance.target',
    })
  }
})

describe('a Provenance of records of several patients', () => {
  const appointment = (id: string, from: number, to: number): Change => ({
    kind: 'put',
    draft: draft({
      resourceType: 'Appointment',
      id,
      participant: Array.from({ length: to - from }, (_, at) => ({
        actor: { reference: `Patient/p${1000 + from + at}` },
      })),
    }),
  })
  const current = async (tenant: string) => {
    const { rows } = await pool.query(
      `select owner, version, refs from record where tenant = $1 and type = 'Provenance' and superseded = 'infinity' order by owner`,
      [tenant],
    )
    return rows.map((row) => ({
      ...row,
      refs: row.refs
        .split(' ')
        .filter((entry: string) => entry !== '' && isOpen(entry))
        .join(' '),
    }))
  }
  const half = ownersMax / 2

  it('belongs to all of them, as long as they are no crowd', async () => {
    const found = []
    for (const more of [-1, 0, 1]) {
      const tenant = `crowd-${more}`
      await write(pool, tenant, [appointment('a', 0, half), appointment('b', half, ownersMax + more)])
      await write(pool, tenant, [provenance('v', 'Appointment/a', 'Appointment/b')])
      found.push(await current(tenant))
    }
    assert.deepEqual(
      found.map((rows) => [rows.length, rows[0].owner, rows[0].refs]),
      [
        [ownersMax - 1, 'p1000', ''],
        [ownersMax, 'p1000', ''],
        [1, '', somebody.crowd],
      ],
    )
  })

  it('belongs, where they are, to the patients of records of one patient each', async () => {
    const many = [appointment('a', 0, ownersMax), appointment('b', ownersMax, 2 * ownersMax), condition('c')]
    await write(pool, 'mixed', [...many, provenance('v', 'Appointment/a', 'Condition/c', 'Appointment/b')])
    assert.deepEqual(await current('mixed'), [{ owner: 'p', version: 1, refs: somebody.crowd }])
  })

  it('may have as many as it has targets, for each may have one', async () => {
    const conditions = Array.from(
      { length: ownersMax + 1 },
      (_, at): Change => ({
        kind: 'put',
        draft: draft({ resourceType: 'Condition', id: `c${at}`, subject: { reference: `Patient/p${at}` } }),
      }),
    )
    const targets = conditions.map((_, at) => `Condition/c${at}`)
    await write(pool, 'each', [...conditions, provenance('v', ...targets)])
    assert.equal((await current('each')).length, ownersMax + 1)
    await write(pool, 'each', [appointment('a', 0, 1), provenance('w', ...targets.slice(1), 'Appointment/a')])
    const rows = await current('each')
    assert.equal(rows.length, 2 * (ownersMax + 1))
    assert.ok(rows.every(({ refs }) => refs === ''))
  })

  it('is placed anew when they become a crowd, and when they are none any more', async () => {
    await write(pool, 'more', [appointment('a', 0, half), appointment('b', half, ownersMax)])
    await write(pool, 'more', [provenance('v', 'Appointment/a', 'Appointment/b')])
    await write(pool, 'more', [appointment('b', half, ownersMax + 1)])
    assert.deepEqual(await current('more'), [{ owner: '', version: 1, refs: somebody.crowd }])
    assert.deepEqual(await awaited('more'), ['Appointment/a by v', 'Appointment/b by v'])
    await write(pool, 'more', [appointment('a', 0, half - 1)])
    assert.equal((await current('more')).length, ownersMax)
    assert.deepEqual(await awaited('more'), [])
    await write(pool, 'more', [condition('c'), provenance('v', 'Appointment/a', 'Appointment/b', 'Appointment/n')])
    await write(pool, 'more', [appointment('n', 2 * ownersMax, 2 * ownersMax + 2)])
    assert.deepEqual(await current('more'), [{ owner: '', version: 2, refs: somebody.crowd }])
    assert.equal((await awaited('more')).length, 3, 'also for the one that has just arrived')
  })
})
