import assert from 'node:assert/strict'
import { it } from 'node:test'
import { PresentRecords } from './present-records.ts'

const presentRecordsMax = 250_000

it('the present records of an owner are known at, below and not above their bound', () => {
  const present = new PresentRecords('p')
  for (let n = 0; n < presentRecordsMax; n++) present.add('Condition', `${n}`, n)
  assert.equal(present.isComplete, true)
  assert.equal(present.came(`Condition/${presentRecordsMax - 1}`), presentRecordsMax - 1)
  assert.equal(present.came('Goal/0'), undefined)
  present.add('Goal', '0', 1)
  assert.equal(present.isComplete, false)
  assert.equal(present.came('Goal/0'), undefined)
  assert.equal(present.came('Condition/7'), 7)
})
