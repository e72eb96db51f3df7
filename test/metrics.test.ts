import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { definitionOf, metricNames } from '../src/telemetry/metrics/metrics-table.ts'
import { type Family, parsePage, sumOf } from './prometheus-text.ts'
import { TestServer } from './server.ts'
import { PatientClient } from './simulation/patient-client.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const token = 'a-token-of-the-metrics'
const pollMs = 50

/** Where a server tells its metrics, from the line of its start. */
const metricsUrlIn = (log: string): string => /"metrics":"([^"]+)"/.exec(log)?.[1] ?? ''

type Page = ReadonlyMap<string, Family>

async function scrape(url: string, headers: Record<string, string> = {}): Promise<Page> {
  const answer = await fetch(url, { headers })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  return parsePage(await answer.text())
}

/** Threads tell what they have measured within a second or so. */
async function until<T>(read: () => Promise<T>, holds: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await read()
    if (holds(found)) return found
    await pause(pollMs)
  }
}

const ids = ['first-person', 'second-person', 'third-person']

describe('the metrics of a server', { timeout: 600_000 }, () => {
  let server: TestServer
  let second: ChildProcess
  let urls: readonly string[]
  let patients: PatientClient
  let client: string
  let headers: Record<string, string>

  before(async () => {
    server = await TestServer.start(['--metrics', '127.0.0.1:0', '--workers', '2'])
    await server.addTenant('private-clinic')
    const registered = await server.addClient('private-clinic')
    client = registered.id
    const bearer = await server.token(registered)
    headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/fhir+json' }
    patients = new PatientClient(server, 'private-clinic', bearer)
    for (const id of ids) {
      const body = JSON.stringify({ resourceType: 'Patient', id, name: [{ family: 'Hidden' }] })
      const url = `${server.base('private-clinic')}/Patient/${id}`
      assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 201)
    }
    const [url, process] = await secondServer(server)
    second = process
    urls = [await server.metricsUrl(), url]
  })
  after(async () => {
    const gone = new Promise((resolve) => second.once('exit', resolve))
    second.kill('SIGTERM')
    await gone
    await server.stop()
  })

  const pages = () => Promise.all(urls.map((url) => scrape(url)))
  /** Of all servers together. */
  const sum = (found: readonly Page[], name: string, labels: Record<string, string> = {}): number =>
    found.reduce((all, page) => all + (sumOf(page, name, labels) ?? 0), 0)

  it('add up over the threads of two servers: what was exported is what the manifests say', async () => {
    let records = 0
    const exportsWanted = 4
    for (let done = 0; done < exportsWanted; done++) {
      const { job } = await patients.kickOff(ids)
      const { output } = await patients.finished(job)
      for (const file of output) {
        records += file.count
        assert.equal((await patients.lines(file)).length, file.count)
      }
    }
    assert.equal(records, exportsWanted * ids.length)
    const kickOffs = { http_route: '/r4/:tenant/Patient/$export', http_response_status_code: '202' }
    const wanted = {
      records,
      completed: exportsWanted,
      exports: exportsWanted,
      // Two partitions each: the owners', and the one with what they refer to.
      published: exportsWanted * 2,
      partitions: exportsWanted * 2,
      cuts: exportsWanted,
      downloads: exportsWanted,
      kickOffs: exportsWanted,
    }
    const told = (found: readonly Page[]): typeof wanted => ({
      records: sum(found, 'millrace_export_records_total'),
      completed: sum(found, 'millrace_exports_ended_total', { outcome: 'completed' }),
      exports: sum(found, 'millrace_export_seconds_count'),
      published: sum(found, 'millrace_partition_attempts_total', { outcome: 'published' }),
      partitions: sum(found, 'millrace_partition_seconds_count'),
      cuts: sum(found, 'millrace_cut_wait_seconds_count'),
      downloads: sum(found, 'millrace_downloads_total', { outcome: 'complete' }),
      kickOffs: sum(found, 'http_server_request_duration_seconds_count', kickOffs),
    })
    // Each thread tells by itself. None of them goes beyond what is wanted, on the way or later.
    const isReached = (found: typeof wanted) =>
      Object.entries(wanted).every(([name, count]) => found[name as 'records'] >= count)
    await until(async () => told(await pages()), isReached)
    assert.deepEqual(told(await pages()), wanted)
  })

  it('tell the same of the store on both servers', async () => {
    for (const page of await pages()) {
      assert.equal(sumOf(page, 'millrace_jobs', { state: 'completed' }), 4)
      assert.equal(sumOf(page, 'millrace_jobs', { state: 'running' }), 0)
      assert.equal(sumOf(page, 'millrace_workers_alive'), 3)
      assert.equal(sumOf(page, 'millrace_oldest_waiting_seconds', { work: 'partition' }), 0)
      assert.ok(sumOf(page, 'millrace_database_bytes')! > 1_000_000)
      assert.equal(sumOf(page, 'millrace_scrape_failures_total'), 0)
    }
    const [first, other] = await pages()
    assert.equal(sumOf(first!, 'millrace_engine_threads', { state: 'ready' }), 2)
    assert.equal(sumOf(other!, 'millrace_engine_threads', { state: 'ready' }), 1)
  })

  it('have a sample of each figure but a certificate, and no label that the table does not name', async () => {
    const [page] = await pages()
    for (const name of metricNames) {
      const { labels = {} } = definitionOf(name)
      const { samples } = page!.get(name)!
      assert.equal(samples.length > 0, name !== 'millrace_certificate_expiry_timestamp_seconds', name)
      for (const sample of samples) {
        for (const [label, value] of Object.entries(sample.labels)) {
          if (label === 'le') continue
          const values = labels[label]
          assert.ok(values !== undefined, `${name} has ${label}`)
          if (typeof values !== 'string') assert.ok(values.includes(value), `${name} ${label}=${value}`)
        }
      }
    }
  })

  it('name no tenant, client, patient or path, whatever is asked', async () => {
    for (const path of [`/r4/private-clinic/Patient/${ids[0]}`, '/r4/private-clinic/nothing', '/no-such-path'])
      await fetch(`${server.url}${path}`, { headers })
    await fetch(`${server.url}/r4/private-clinic/Patient/x`, { headers: { authorization: 'Bearer wrong' } })
    const refused = (text: string) =>
      sumOf(parsePage(text), 'http_server_request_duration_seconds_count', { http_response_status_code: '401' })
    // A request is measured when its answer has left, which may be a moment after its caller has it.
    const read = async () => (await fetch(urls[0]!)).text()
    const text = await until(read, (page) => refused(page) === 1)
    for (const name of ['private-clinic', client, ...ids, 'Hidden', 'no-such-path', server.directory])
      assert.ok(!text.includes(name), name)
  })

  it('have no sample of what the database does not say in time, and say so; all else is there', async () => {
    const [url = ''] = urls
    const holder = await server.pool.connect()
    await holder.query('begin; lock table job in access exclusive mode')
    const held = await scrape(url)
    await holder.query('rollback')
    holder.release()
    for (const name of ['millrace_jobs', 'millrace_partitions', 'millrace_database_bytes', 'millrace_workers_alive'])
      assert.deepEqual(held.get(name)!.samples, [], name)
    assert.ok(sumOf(held, 'process_resident_memory_bytes')! > 0)
    assert.ok(sumOf(held, 'millrace_disk_free_bytes')! > 0)
    assert.equal(sumOf(held, 'millrace_scrape_failures_total', { source: 'store' }), 1)
    const free = await scrape(url)
    assert.equal(sumOf(free, 'millrace_jobs', { state: 'completed' }), 4)
    assert.equal(sumOf(free, 'millrace_scrape_failures_total'), 1)
  })

  it('are GET /metrics on their own address, and nothing else there', async () => {
    const [url = ''] = urls
    assert.equal((await fetch(url, { method: 'POST' })).status, 405)
    assert.equal((await fetch(url.replace('/metrics', '/readyz'))).status, 404)
    assert.equal((await fetch(`${url}?x=1`, { method: 'HEAD' })).status, 200)
    assert.equal((await fetch(`${server.url}/metrics`, { headers })).status, 404)
  })

  it('are on the port of clients for whoever has the token', async () => {
    await server.kill('SIGTERM')
    const file = join(server.directory, 'metrics-token')
    writeFileSync(file, `${token}\n`)
    await server.spawn(['--metrics-token-file', file, '--workers', '1'])
    const url = `${server.url}/metrics`
    const page = await scrape(url, { authorization: `Bearer ${token}` })
    assert.equal(sumOf(page, 'millrace_jobs', { state: 'completed' }), 4)
    for (const wrong of [undefined, 'Bearer', `Bearer ${token}x`, `Bearer ${token.slice(0, -1)}`, `Basic ${token}`]) {
      const answer = await fetch(url, { headers: wrong === undefined ? {} : { authorization: wrong } })
      assert.equal(answer.status, 401, wrong)
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="Millrace metrics"')
      assert.ok(!(await answer.text()).includes('millrace_'))
    }
    const guess = () => fetch(url, { headers: { authorization: 'Bearer guess' } })
    await until(guess, ({ status, headers: told }) => status === 429 && told.get('retry-after') !== null)
    assert.equal((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status, 200)
  })
})

/** A second server of the store, with a worker and metrics of its own. @returns where these are */
async function secondServer({ database, directory }: TestServer): Promise<[string, ChildProcess]> {
  const { host = '', user, database: name, port } = database.connection
  const url = `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}&port=${port ?? 5432}`
  const flags = ['--database-url', url, '--port', '0', '--workers', '1', '--metrics', 'localhost:0']
  const child = spawn(process.execPath, [program, 'serve', ...flags, '--files', join(directory, 'files')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const found = await new Promise<string>((resolve, reject) => {
    let log = ''
    child.stdout.on('data', (chunk) => {
      log += chunk
      if (metricsUrlIn(log) !== '') resolve(metricsUrlIn(log))
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${log}`)))
  })
  return [found, child]
}
