import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { transaction } from '../../database/transaction.ts'
import type { Pack } from './pack.ts'
import { insertPacks, packsOfOwners } from './stored-packs.ts'

const tenant = 'a'
const types = ['Condition', 'Goal']

/** Packs of an owner and type; their blocks are never inflated here. */
const packsOf = (owner: string, type: string, sizes: readonly number[]): Pack[] =>
  sizes.map((size, number) => ({
    ...{ owner, type, number, total: sizes.length, records: 1, bytes: 1, crc: 1 },
    ...{ changed: 1, oldest: 1, newest: 1, shared: '', targets: '', slice: '', present: '' },
    refs: Buffer.from(`Location/${owner}-${type}-${number}`),
    blocks: randomBytes(size),
    columns: type === 'Goal' ? randomBytes(size >> 3) : undefined,
  }))

describe('packs of owners', () => {
  let store: TestStore

  before(async () => {
    store = await openTestStore()
  })
  after(() => store.close())

  it('are what was put in, those too that come in several pieces', async () => {
    const sizes = [0, 1, 3_000, 130_000, 700_000]
    const owners = Array.from({ length: 30 }, (_, index) => `p${index}`)
    const stored = owners.flatMap((owner, index) =>
      types.map((type, ofType) =>
        packsOf(
          owner,
          type,
          Array.from(
            { length: 1 + (index % 4) },
            (_, number) => sizes[(index * 7 + ofType * 3 + number) % sizes.length]!,
          ),
        ),
      ),
    )
    await transaction(store.pool, (client) => insertPacks(client, tenant, stored.flat()))

    let next = 0
    for await (const found of packsOfOwners(store.pool, {
      tenant,
      types,
      chosen: ['Goal'],
      inflated: [],
      whole: [],
      alone: false,
      asOf: 2,
      owners,
    })) {
      await turn()
      for (const { packs, lying, lacking } of found) {
        assert.deepEqual({ packs, lying, lacking }, { packs: stored[next++], lying: false, lacking: false })
      }
    }
    assert.equal(next, stored.length)
  })
})
