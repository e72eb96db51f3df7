import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import pg from 'pg'
import { openPool } from '../../database/pool.ts'
import { openTestStore, type TestStore } from '../../database/store.fixture.ts'
import { copyRows } from '../../records/copy/copy-out.ts'
import { summaryOf } from './traced-queries.ts'
import { inOwnTrace, inTrace, isTracing, presentTraceparent, tracer } from './tracing.ts'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
let store: TestStore
let pool: pg.Pool

before(async () => {
  store = await openTestStore()
  const untraced = openPool(store.connection, 1)
  const client = await untraced.connect()
  assert.equal(isTracing(), false)
  assert.equal(client.query, pg.Client.prototype.query, 'without an SDK nothing is wrapped')
  assert.equal(presentTraceparent(), undefined)
  client.release()
  await untraced.end()
  provider.register()
  pool = openPool(store.connection, 1)
})
after(async () => {
  await pool.end()
  await store.close()
  await provider.shutdown()
  trace.disable()
  context.disable()
})

/** The spans that work leaves behind, the outermost last. */
async function spansOf(work: () => Promise<unknown>) {
  exporter.reset()
  await inOwnTrace('work', { 'millrace.job': 'j' }, work).catch(() => {})
  return exporter.getFinishedSpans()
}

test('statements of traced work are spans of its trace, under stable names, without their text', async () => {
  assert.equal(isTracing(), true)
  const [asked, together, work] = await spansOf(async () => {
    await pool.query('select id from job where tenant = $1', ['a-tenant'])
    const client = await pool.connect()
    await client.query({ text: 'update job set failure = $1', values: ['x'] })
    client.release()
  })
  assert.deepEqual([asked!.name, together!.name, work!.name], ['SELECT job', 'UPDATE job', 'work'])
  for (const span of [asked!, together!]) {
    assert.equal(span.parentSpanContext?.spanId, work!.spanContext().spanId)
    assert.equal(span.spanContext().traceId, work!.spanContext().traceId)
    assert.equal(span.attributes['db.system.name'], 'postgresql')
    assert.equal(span.attributes['db.query.summary'], span.name)
    assert.doesNotMatch(JSON.stringify(span.attributes), /tenant|\$1/)
  }
  assert.equal(asked!.attributes['db.operation.name'], 'SELECT')
})

test('who waits for a connection stays in his own trace', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  exporter.reset()
  const first = inOwnTrace('first', {}, async () => {
    const client = await pool.connect()
    await promise
    client.release()
  })
  const second = inOwnTrace('second', {}, () => pool.query('select'))
  resolve()
  await Promise.all([first, second])
  const [query, outer] = ['SELECT', 'second'].map((name) =>
    exporter.getFinishedSpans().find((span) => span.name === name),
  )
  assert.equal(query!.parentSpanContext?.spanId, outer!.spanContext().spanId)
})

test('what fails says so by its code, and not in its words', async () => {
  const [query, work] = await spansOf(() => pool.query(`select 'secret'::integer from job where id = 'secret'`))
  for (const span of [query!, work!]) {
    assert.equal(span.status.code, SpanStatusCode.ERROR)
    assert.equal(span.attributes['error.type'], '22P02')
    assert.ok(!JSON.stringify([span.attributes, span.status, span.events]).includes('secret'))
  }
  assert.equal(query!.attributes['db.response.status_code'], '22P02')
})

test('a COPY is one span', async () => {
  const [copy] = await spansOf(async () => {
    await Array.fromAsync(copyRows(pool, 'select name from migration'))
  })
  assert.equal(copy!.name, 'COPY migration')
})

test('outside of traced work there are no spans', async () => {
  exporter.reset()
  await pool.query('select')
  assert.deepEqual(exporter.getFinishedSpans(), [])
})

test('work goes on in a trace that began elsewhere', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  exporter.reset()
  await inTrace(traceparent, async () => {
    assert.equal(presentTraceparent(), traceparent)
    await pool.query('select')
  })
  const [span] = exporter.getFinishedSpans()
  assert.equal(span!.spanContext().traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
  assert.equal(inTrace('none', presentTraceparent), undefined)
  tracer().startSpan('x').end()
})

test('a statement is summed up by what it does to which table', () => {
  const known = {
    'select a from job where b': 'SELECT job',
    '\n  -- why\n  insert into part (id) values ($1)': 'INSERT part',
    'update partition set x = 1': 'UPDATE partition',
    'delete from unpacked using (select 1) x': 'DELETE unpacked',
    'with live as materialized (select 1 from job j) select * from live': 'WITH job',
    'select * from unnest($1::text[]) as m': 'SELECT',
    'copy (select x from record) to stdout': 'COPY record',
    'set local statement_timeout = 0; copy (select a from pack) to stdout': 'COPY pack',
    'copy record (a) from stdin': 'COPY record',
    begin: 'BEGIN',
    '': 'QUERY',
  }
  for (const [text, summary] of Object.entries(known)) assert.equal(summaryOf(text).summary, summary, text)
  assert.equal(summaryOf({ text: 'select 1 from setting' }).summary, 'SELECT setting')
  assert.equal(summaryOf(undefined).summary, 'QUERY')
})
