import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countsText } from './counts-text.ts'

it('tells how many there are, at least how many, and of how many nothing is known', () => {
  const counts = new Map([
    ['Claim', { records: 2, more: false }],
    ['Device', { records: 10, more: true }],
    ['Group', { records: 0, more: true }],
    ['List', { records: 0, more: false }],
  ])
  assert.equal(
    countsText(['Basic', 'Group', 'Device', 'Claim', 'List'], counts),
    'Group: not known (too many to look at), Device: at least 10, Claim: 2',
  )
})
