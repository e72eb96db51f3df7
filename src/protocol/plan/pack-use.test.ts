import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { documentedTypes } from '../../fhir/resource-types.ts'
import { comingAlong, comingAlongWhole, type Extent, extentOfTimes, isChosen } from './pack-use.ts'

const whole = { types: documentedTypes, filters: {}, provenance: 'relevant' } as const
const latest = { ...whole, provenance: 'latest' } as const
const filters = { Condition: [] }

describe('how packs serve an export', () => {
  it('records are all, some or none of the times asked for: later than since, earlier than until', () => {
    const pack = { oldest: 5, newest: 9 }
    const extent = (since?: number, until?: number) =>
      extentOfTimes({ ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) }, pack)
    assert.deepEqual([extent(), extent(4), extent(4, 10)], ['all', 'all', 'all'])
    assert.deepEqual([extent(5), extent(8), extent(4, 9), extent(undefined, 6)], ['some', 'some', 'some', 'some'])
    assert.deepEqual([extent(9), extent(10), extent(undefined, 5)], ['none', 'none', 'none'])
    const empty = { oldest: Number.POSITIVE_INFINITY, newest: Number.NEGATIVE_INFINITY }
    assert.equal(extentOfTimes({}, empty), 'none')
  })

  it('lines are chosen of what a filter or _elements narrows, and of Provenances unless of each type all are exported that is', () => {
    const chosen = (request: Parameters<typeof isChosen>[0]) =>
      request.types.filter((type) => isChosen(request, type)).join()
    assert.equal(chosen(whole), '')
    assert.equal(chosen({ ...whole, filters }), 'Condition,Provenance')
    assert.equal(chosen({ ...whole, elements: { Goal: [] } }), 'Goal')
    assert.equal(chosen({ ...whole, since: 1 }), 'Provenance')
    assert.equal(chosen({ ...whole, types: ['Condition', 'Provenance'] }), '')
    assert.equal(chosen({ ...whole, types: ['Provenance'] }), '')
    assert.equal(chosen({ ...whole, reach: 'system', filters }), 'Condition')
    assert.equal(chosen({ ...whole, reach: 'system', until: 1 }), 'Provenance')
  })

  const extents: Readonly<Record<string, Extent>> = { Goal: 'all', Device: 'some' }
  const extentOf = (type: string) => extents[type] ?? 'none'
  const told = { slice: 'latest', oldest: 5, newest: 9 } as const

  it('Provenances come along by the types of their targets', () => {
    const coming = (targets: string) => comingAlong(whole, { ...told, targets }, extentOf)
    assert.deepEqual(['Goal', 'Condition,Goal', 'Goal Device,Goal'].map(coming), ['all', 'all', 'all'])
    assert.deepEqual(['Device', 'Goal Device', 'Goal Condition', 'Goal -'].map(coming), [
      'some',
      'some',
      'some',
      'some',
    ])
    assert.deepEqual(['Condition', '-', '', 'Condition -'].map(coming), ['none', 'none', 'none', 'none'])
  })

  it('of the newest only those that are the newest of what is exported', () => {
    const coming = (targets: string, slice: 'latest' | 'older' | '') =>
      comingAlong(latest, { ...told, targets, slice }, extentOf)
    assert.deepEqual([coming('Goal', 'latest'), coming('Goal', 'older'), coming('Goal', '')], ['all', 'none', 'some'])
    assert.deepEqual([coming('Condition,Goal', 'latest'), coming('Condition', '')], ['some', 'none'])
  })

  it('for themselves all come, as far as their times are asked for', () => {
    const alone = { ...whole, types: ['Provenance'] } as const
    const coming = (request: Parameters<typeof comingAlong>[0]) =>
      comingAlong(request, { ...told, targets: '-' }, extentOf)
    assert.equal(coming(alone), 'all')
    assert.deepEqual(
      [4, 5, 9].map((since) => coming({ ...alone, since })),
      ['all', 'some', 'none'],
    )
  })

  it('it is the same where it is known beforehand what is exported', () => {
    const coming = comingAlongWhole({ ...whole, types: ['Goal', 'Provenance'] })
    for (const _ of [1, 2])
      assert.deepEqual(
        ['Goal', 'Device', 'Device Goal'].map((targets) => coming({ ...told, targets })),
        ['all', 'none', 'some'],
      )
  })
})
