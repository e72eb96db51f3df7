import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePage, sumOf } from '../../test/prometheus-text.ts'
import { DistantMeter, type Measured, observationsMax } from './distant-meter.ts'
import type { Sample } from './meter.ts'
import { MetricRegistry } from './metric-registry.ts'
import { levelMsMax, ThreadMeasures } from './thread-measures.ts'

const waiting = (value: number): Sample[] => [
  { name: 'millrace_database_pool_waiting', value, labels: { pool: 'engine' } },
]

/** A main thread with threads beside it; what they tell passes through as plain data. */
function machine() {
  let now = 0
  const registry = new MetricRegistry()
  const measures = new ThreadMeasures(registry, () => now)
  registry.ask([{ read: () => measures.samples() }])
  const thread = (levels: () => Sample[] = () => []) => {
    const key = {}
    const told: Measured[] = []
    const meter = new DistantMeter((measured) => {
      told.push(measured)
      measures.add(key, structuredClone(measured))
    }, levels)
    return { key, meter, told }
  }
  return {
    thread,
    measures,
    pass: (ms: number) => (now += ms),
    page: async () => parsePage(await registry.scrape()),
  }
}

test('what threads count and observe adds up, also of one that has ended', async () => {
  const { thread, measures, page } = machine()
  const [a, b] = [thread(), thread()]
  for (const { meter } of [a, b]) {
    meter.count('millrace_export_records_total', { source: 'packs' }, 5)
    meter.count('millrace_export_records_total', { source: 'packs' }, 2)
    meter.count('millrace_export_records_total', { source: 'chosen' })
    meter.observe('millrace_part_write_seconds', 0.02)
    meter.stop()
  }
  measures.forget(b.key)
  const found = await page()
  assert.equal(sumOf(found, 'millrace_export_records_total', { source: 'packs' }), 14)
  assert.equal(sumOf(found, 'millrace_export_records_total', { source: 'chosen' }), 2)
  assert.equal(sumOf(found, 'millrace_part_write_seconds_count'), 2)
  assert.equal(sumOf(found, 'millrace_part_write_seconds_bucket', { le: '0.01' }), 0)
  assert.equal(sumOf(found, 'millrace_part_write_seconds_bucket', { le: '0.025' }), 2)
})

test('nothing is told twice, and where nothing has happened nothing is told', () => {
  const { meter, told } = machine().thread()
  meter.tell()
  assert.equal(told.length, 0)
  meter.count('millrace_partitions_rescued_total')
  meter.tell()
  meter.tell()
  meter.stop()
  assert.equal(told.length, 1)
})

test('a thread gathers no more observations than its bound', () => {
  const { meter, told } = machine().thread()
  for (let count = 0; count < observationsMax; count++) meter.observe('millrace_part_write_seconds', 1)
  assert.equal(told.length, 0)
  meter.observe('millrace_part_write_seconds', 1)
  assert.deepEqual(
    told.map(({ observations }) => observations.length),
    [observationsMax + 1],
  )
  meter.stop()
})

test('levels of threads add up as they were told last, until they are old or the thread has ended', async () => {
  const { thread, measures, page, pass } = machine()
  let level = 1
  const a = thread(() => waiting(level))
  const b = thread(() => waiting(10))
  a.meter.tell()
  b.meter.tell()
  level = 2
  a.meter.tell()
  const told = async () => sumOf(await page(), 'millrace_database_pool_waiting')
  assert.equal(await told(), 12)
  pass(levelMsMax)
  assert.equal(await told(), 12)
  a.meter.tell()
  pass(1)
  assert.equal(await told(), 2)
  measures.forget(a.key)
  assert.equal(await told(), undefined)
  a.meter.stop()
  b.meter.stop()
})
