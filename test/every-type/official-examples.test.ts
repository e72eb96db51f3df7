import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { draftOf } from '../../src/records/draft.ts'
import { load } from '../../src/records/load/load.ts'
import { findSourceFiles } from '../../src/records/load/source/source-files.ts'
import { storeDrafts } from '../../src/records/load/store-drafts.ts'
import { packChanged } from '../../src/records/packs/packer.ts'
import { TestServer } from '../server.ts'
import { type FinishedExport, PatientClient } from '../simulation/patient-client.ts'
import { danglingOf, expectedOf, type NaiveResource, ownerlessOf, relativeAttachments } from './naive-compartment.ts'
import { requiredMembers } from './naive-elements.ts'

const source = fileURLToPath(new URL('../../../shared/data/r4-examples', import.meta.url))
const skip = existsSync(source) ? false : 'the official examples are not beside the project'

/** Lines by `Type/id`. */
type Lines = ReadonlyMap<string, string>

const herd = {
  resourceType: 'Group',
  id: 'herd',
  type: 'person',
  actual: true,
  member: [{ entity: { reference: 'Patient/example' } }],
}

describe('the official R4 examples of all types', { skip }, () => {
  let server: TestServer
  let token: string
  let loaded: Map<string, string>
  let resources: readonly NaiveResource[]

  before(async () => {
    server = await TestServer.start()
    await server.addTenant('examples', 'hl7')
    const scope = 'system/*.read system/AuditEvent.read'
    token = await server.token(await server.addClient('examples', scope), scope)
    const report = {
      onBytes: () => {},
      onBatch: () => {},
      onFault: (fault: object) => assert.fail(JSON.stringify(fault)),
    }
    const options = { bases: [server.base('examples')], keepLastUpdated: false, keepBundles: true }
    await load(server.pool, 'examples', (await findSourceFiles([source])).files, options, report)
    const draft = draftOf(JSON.stringify(herd), [])
    assert.ok('text' in draft)
    await storeDrafts(server.pool, 'examples', [draft], false, () => {})
    loaded = await linesOf(source)
    loaded.set('Group/herd', JSON.stringify(herd))
    resources = [...loaded.values()].map((line) => JSON.parse(line))
  })
  after(() => server?.stop())

  const everybody = () => true
  const levels: readonly (readonly [string, string, readonly string[], (id: string) => boolean])[] = [
    ['all patients', 'Patient/$export', [], everybody],
    [
      'some patients',
      'Patient/$export',
      ['Patient/example', 'Patient/f001', 'Patient/xcda'],
      (id) => ['example', 'f001', 'xcda'].includes(id),
    ],
    ['a Group', 'Group/herd/$export', [], (id) => id === 'example'],
  ]
  for (const state of ['versions', 'packs']) {
    for (const [name, path, patients, isOne] of levels) {
      it(`give every record of the compartment of ${name}, and what these refer to, once; out of ${state}`, async () => {
        if (state === 'packs') await packChanged(server.pool, { tenant: 'examples', settledMs: 0 }, () => true)
        const { lines, issues } = await exported(path, patients)
        check(lines, expectedOf(resources, isOne))
        checkIssues(issues, [...lines.keys()], patients.length === 0)
      })
    }

    it(`give everything of the whole system, once; out of ${state}`, async () => {
      const { lines, issues } = await exported('$export', [])
      check(lines, new Set(loaded.keys()))
      assert.deepEqual(
        issues.filter(({ details: { text } }) => /belong to none|scopes/.test(text)),
        [],
      )
    })
  }

  it('lead from Attachments to Binaries that the client reads with its token', async () => {
    const { lines } = await exported('Patient/$export', [])
    const urls = [...lines.values()].flatMap((line) =>
      [...line.matchAll(/"url":"(http[^"]*\/Binary\/[^"]+)"/g)].map(([, url]) => url!),
    )
    const read = urls.filter((url) => url.startsWith(server.base('examples')))
    assert.equal(read.length, 3)
    for (const url of read) {
      const key = url.slice(url.indexOf('Binary/'))
      const stored = loaded.get(key)
      const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
      assert.equal(answer.status, stored === undefined ? 404 : 200, key)
      if (stored === undefined) continue
      const { contentType, data } = JSON.parse(stored)
      assert.equal(answer.headers.get('content-type'), contentType)
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(data, 'base64'))
    }
  })

  it('give with _elements, _type and organizeOutputBy the same records', async () => {
    const types = [...new Set(resources.map(({ resourceType }) => resourceType))].filter(
      (type) => type !== 'AuditEvent',
    )
    const { lines } = await exported(`Patient/$export?_type=${types.join(',')}&_elements=id`, [])
    const expected = [...expectedOf(resources, everybody)].filter((key) => !key.startsWith('AuditEvent/'))
    assert.deepEqual([...lines.keys()].sort(), expected.sort())
    for (const [key, line] of lines) {
      const required = requiredMembers(key.slice(0, key.indexOf('/')))
      const { meta, ...others } = JSON.parse(loaded.get(key)!)
      const kept = Object.keys(others).filter((name) => required.test(name))
      assert.deepEqual(Object.keys(JSON.parse(line)).sort(), [...kept, 'meta'].sort(), key)
    }
    const { blocks } = await exported('Patient/$export?organizeOutputBy=Patient', [])
    for (const [owner, keys] of blocks) {
      const ofOwner = expectedOf(resources, (id) => id === owner)
      assert.deepEqual([...keys].sort(), [...ofOwner].sort(), owner)
    }
    assert.ok(blocks.size > 10)
  })

  /** What is missing is named: what exported records refer to and is not here, and what belongs to nobody. */
  function checkIssues(issues: readonly Issue[], exported: readonly string[], tellsOwnerless: boolean): void {
    const told = (text: RegExp) =>
      issues.filter((issue) => text.test(issue.details.text)).map((each) => each.diagnostics)
    const keys = new Set(exported)
    const dangling = danglingOf(
      resources.filter(({ resourceType, id }) => keys.has(`${resourceType}/${id}`)),
      resources,
    )
    const absent = told(/referenced record is not in the store/)
    assert.deepEqual(
      absent.filter((key) => !dangling.has(key!)),
      [],
    )
    assert.deepEqual(
      [...dangling]
        .filter(([, isNamed]) => isNamed)
        .map(([key]) => key)
        .filter((key) => !absent.includes(key)),
      [],
    )
    const [ownerless = ''] = told(/belong to none/)
    const counts = ownerless === '' ? [] : ownerless.split(', ')
    const expected = tellsOwnerless ? ownerlessOf(resources) : []
    assert.deepEqual(
      expected.filter((count) => !counts.includes(count)),
      [],
    )
    assert.equal(counts.length > 0, tellsOwnerless)
    const known =
      /^(A referenced record is|References of exported records (lead|name|cannot)|Conditional references of|Records of types that belong)/
    assert.deepEqual(
      issues.filter(({ details: { text } }) => !known.test(text)),
      [],
    )
  }

  function check(lines: Lines, expected: ReadonlySet<string>): void {
    assert.deepEqual([...lines.keys()].sort(), [...expected].sort())
    for (const [key, line] of lines) assert.equal(withoutMeta(line), withoutMeta(absolute(loaded.get(key)!)), key)
  }

  /** The text with the absolute URLs of its Attachments. */
  function absolute(line: string): string {
    const urls = relativeAttachments(JSON.parse(line))
    return urls.reduce((text, url) => text.replace(`"url":"${url}"`, `"url":"${server.base('examples')}/${url}"`), line)
  }

  async function exported(path: string, patients: readonly string[]) {
    const headers = { authorization: `Bearer ${token}` }
    const parameter = patients.map((reference) => ({ name: 'patient', valueReference: { reference } }))
    const posted = {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/fhir+json', prefer: 'respond-async' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter }),
    }
    const answer = await fetch(`${server.base('examples')}/${path}`, patients.length > 0 ? posted : { headers })
    assert.equal(answer.status, 202, await answer.text())
    const client = new PatientClient(server, 'examples', token)
    return contentOf(client, await client.finished(answer.headers.get('content-location')!))
  }
})

interface Issue {
  readonly details: { readonly text: string }
  readonly diagnostics?: string
}

/** Lines by `Type/id`, and by patient where blocks begin with one. */
async function contentOf(client: PatientClient, { output, error }: FinishedExport) {
  const lines = new Map<string, string>()
  const blocks = new Map<string, Set<string>>()
  let block: Set<string> | undefined
  for (const file of output) {
    for (const line of await client.lines(file)) {
      const { resourceType, id, parameter } = JSON.parse(line)
      if (resourceType === 'Parameters') {
        block = new Set()
        blocks.set(parameter[0].valueReference.reference.split('/')[1], block)
        continue
      }
      const key = `${resourceType}/${id}`
      block?.add(key)
      if (!block) assert.ok(!lines.has(key), `${key} comes twice`)
      lines.set(key, line)
    }
  }
  const errors = await Promise.all(error.map((file) => client.lines(file)))
  const outcomes = errors.flat().map((line) => JSON.parse(line))
  return { lines, blocks, issues: outcomes.flatMap(({ issue }) => issue as Issue[]) }
}

/** The text without the value of its top-level `meta`. */
function withoutMeta(line: string): string {
  const { meta } = JSON.parse(line)
  if (meta === undefined) return line
  const text = `"meta":${JSON.stringify(meta)}`
  assert.ok(line.includes(text), 'meta is written without blanks in these data')
  return line.replace(text, '').replace(',,', ',').replace('{,', '{').replace(',}', '}')
}

async function linesOf(directory: string): Promise<Map<string, string>> {
  const lines = new Map<string, string>()
  for (const name of (await readdir(directory)).filter((each) => each.endsWith('.ndjson.gz'))) {
    for (const line of gunzipSync(await readFile(join(directory, name)))
      .toString()
      .split('\n')
      .filter(Boolean)) {
      const { resourceType, id } = JSON.parse(line)
      lines.set(`${resourceType}/${id}`, line)
    }
  }
  return lines
}
