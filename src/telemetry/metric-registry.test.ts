import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parsePage, sumOf } from '../../test/prometheus-text.ts'
import type { Sample } from './meter.ts'
import { MetricRegistry, sourceMsMax } from './metric-registry.ts'
import { definitionOf, metricNames } from './metrics/metrics-table.ts'

const read = async (registry: MetricRegistry) => parsePage(await registry.scrape())

test('a page has every metric of the table and no other, of its kind and with its help', async () => {
  const page = await read(new MetricRegistry())
  assert.deepEqual([...page.keys()].sort(), [...metricNames].sort())
  for (const name of metricNames) {
    const { kind, help } = definitionOf(name)
    assert.deepEqual([page.get(name)!.type, page.get(name)!.help], [kind, help])
  }
})

test('what was never counted is 0 where its labels are known, and what is asked for has no sample before it is', async () => {
  const page = await read(new MetricRegistry())
  assert.equal(sumOf(page, 'millrace_export_records_total', { source: 'chosen' }), 0)
  assert.equal(sumOf(page, 'millrace_partitions_rescued_total'), 0)
  assert.equal(sumOf(page, 'millrace_database_pool_wait_seconds_count', { pool: 'engine' }), 0)
  for (const name of metricNames) {
    if (definitionOf(name).kind === 'gauge') assert.deepEqual(page.get(name)!.samples, [], name)
  }
})

test('a figure that cannot be had has no sample, and not the one of the scrape before', async () => {
  const registry = new MetricRegistry()
  const found: Sample[] = [
    { name: 'millrace_unpacked', value: 7 },
    { name: 'millrace_jobs', value: 3, labels: { state: 'running' } },
  ]
  let works = true
  const readStore = async () => {
    if (!works) throw new Error('no database')
    return found
  }
  registry.ask([{ name: 'store', read: readStore }, { read: () => [{ name: 'process_cpu_seconds_total', value: 5 }] }])
  const first = await read(registry)
  assert.deepEqual(
    [sumOf(first, 'millrace_unpacked'), sumOf(first, 'millrace_jobs'), sumOf(first, 'millrace_scrape_failures_total')],
    [7, 3, 0],
  )
  works = false
  const second = await read(registry)
  assert.deepEqual([sumOf(second, 'millrace_unpacked'), sumOf(second, 'millrace_jobs')], [undefined, undefined])
  assert.equal(sumOf(second, 'process_cpu_seconds_total'), 5)
  assert.equal(sumOf(second, 'millrace_scrape_failures_total', { source: 'store' }), 1)
  works = true
  assert.equal(sumOf(await read(registry), 'millrace_unpacked'), 7)
})

/** A registry with a source that takes so long. */
function slow(t: TestContext, ms: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const registry = new MetricRegistry()
  const answer = () =>
    new Promise<Sample[]>((resolve) => setTimeout(() => resolve([{ name: 'millrace_unpacked', value: 1 }]), ms))
  registry.ask([{ name: 'store', read: answer }])
  const page = read(registry)
  t.mock.timers.tick(sourceMsMax)
  return page
}

test('who answers just in time is told', async (t) => {
  assert.equal(sumOf(await slow(t, sourceMsMax - 1), 'millrace_unpacked'), 1)
})

test('who answers a moment too late is not waited for', async (t) => {
  const page = await slow(t, sourceMsMax + 1)
  assert.equal(sumOf(page, 'millrace_unpacked'), undefined)
  assert.equal(sumOf(page, 'millrace_scrape_failures_total'), 1)
})

test('those who scrape at the same time cost one question', async () => {
  const registry = new MetricRegistry()
  let asked = 0
  const source = async (): Promise<Sample[]> => {
    asked++
    return []
  }
  registry.ask([{ name: 'store', read: source }])
  const pages = await Promise.all([registry.scrape(), registry.scrape(), registry.scrape()])
  assert.deepEqual([asked, new Set(pages).size], [1, 1])
  await registry.scrape()
  assert.equal(asked, 2)
})

test('what is no amount is dropped, and nobody fails by it', async () => {
  const registry = new MetricRegistry()
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, 0, 2]) {
    registry.count('millrace_export_file_bytes_total', {}, value)
    registry.observe('millrace_export_seconds', value)
  }
  const page = await read(registry)
  assert.equal(sumOf(page, 'millrace_export_file_bytes_total'), 2)
  assert.deepEqual([sumOf(page, 'millrace_export_seconds_count'), sumOf(page, 'millrace_export_seconds_sum')], [2, 2])
})
