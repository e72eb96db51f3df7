import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { runExport } from '../src/client/export.ts'
import { belonging } from '../src/fhir/ownership.ts'
import { documentedTypes, isOwnedType } from '../src/fhir/resource-types.ts'
import { load } from '../src/records/load/load.ts'
import { findSourceFiles } from '../src/records/load/source/source-files.ts'
import { TestServer } from './server.ts'

/** Real and Synthea data that lie beside the project; they are never part of it. */
const folder = fileURLToPath(new URL('../../shared/data', import.meta.url))

/** Records of a source or an export by type and id: the lines as they are. */
type Lines = Map<string, Map<string, string>>

for (const name of ['synthea-r4-100', 'uscore-r4-2']) {
  const source = join(folder, name)
  const skip = existsSync(source) ? false : `the data set ${name} is not beside the project`

  describe(`${name}: what was loaded comes out, id by id and byte by byte`, { skip }, () => {
    let server: TestServer
    let out: string
    let loaded: Lines
    let exported: Lines

    before(async () => {
      server = await TestServer.start()
      out = await mkdtemp(join(tmpdir(), 'millrace-export-'))
      await server.addTenant('real')
      const base = server.base('real')
      const report = {
        onBytes: () => {},
        onBatch: () => {},
        onFault: (fault: object) => assert.fail(JSON.stringify(fault)),
      }
      const options = { bases: [base], keepLastUpdated: false }
      await load(server.pool, 'real', (await findSourceFiles([source])).files, options, report)
      loaded = await readFolder(source)
      const { id: clientId, key } = await server.addClient('real')
      const order = {
        selection: { patients: [...loaded.get('Patient')!.keys()] },
        types: [],
        typeFilters: [],
        since: undefined,
        includeAssociatedData: [],
      }
      const signal = AbortSignal.timeout(900_000)
      await runExport({ base, credentials: { clientId, key }, order, directory: join(out, 'x'), signal }, () => {})
      exported = await readFolder(join(out, 'x'))
    })
    after(async () => {
      await server?.stop()
      await rm(out, { recursive: true, force: true })
    })

    for (const type of documentedTypes) {
      test(`${type}: every record once, nothing but meta changed (S-29)`, () => {
        const expected = expectedIds(type, loaded, exported)
        const found = exported.get(type) ?? new Map()
        assert.deepEqual([...found.keys()].sort(), [...expected].sort())
        for (const [id, line] of found) assert.equal(withoutMeta(line), withoutMeta(loaded.get(type)!.get(id)!))
      })
    }

    test('no type beyond the 18 (S-27)', () => {
      const types: ReadonlySet<string> = new Set(documentedTypes)
      assert.deepEqual(
        [...exported.keys()].filter((type) => !types.has(type) && type !== 'OperationOutcome'),
        [],
      )
    })
  })
}

/** The ids an export of all patients must give, from the source alone: owned records, Provenances of those, what they refer to. */
function expectedIds(type: string, loaded: Lines, exported: Lines): Set<string> {
  const lines = [...(loaded.get(type) ?? [])]
  if (type === 'Provenance') {
    const own = new Set([...exported].flatMap(([other, ids]) => [...ids.keys()].map((id) => `${other}/${id}`)))
    const isOwned = (target: { reference?: string }) =>
      !/^(Location|Organization|Practitioner)\//.test(target.reference ?? '') && own.has(target.reference ?? '')
    return new Set(lines.filter(([, line]) => JSON.parse(line).target.some(isOwned)).map(([id]) => id))
  }
  if (!isOwnedType(type)) {
    const referring = [...exported].filter(([other]) => isOwnedType(other)).flatMap(([, ids]) => [...ids.values()])
    const references = referring.flatMap((line) =>
      [...line.matchAll(/"reference"\s*:\s*"(\w+\/[\w.-]+)"/g)].map((match) => match[1]!),
    )
    const referred = new Set(references)
    return new Set(lines.map(([id]) => id).filter((id) => referred.has(`${type}/${id}`)))
  }
  const patients = loaded.get('Patient')!
  return new Set(
    lines
      .filter(([id, line]) => belonging(JSON.parse(line), type, id, []).some((owner) => patients.has(owner)))
      .map(([id]) => id),
  )
}

/** The text of a line without the value of its top-level `meta`, wherever it stands; a store may have added one behind the id. */
function withoutMeta(line: string): string {
  const { meta } = JSON.parse(line)
  if (meta === undefined) return line
  const text = JSON.stringify(meta)
  const start = line.indexOf(`"meta":${text}`)
  assert.ok(start > 0, 'meta is written without blanks in these data')
  const rest = line.slice(0, start) + line.slice(start + '"meta":'.length + text.length)
  return rest.replace(',,', ',').replace('{,', '{').replace(',}', '}')
}

async function readFolder(directory: string): Promise<Lines> {
  const lines: Lines = new Map()
  for (const name of await readdir(directory)) {
    if (!/\.ndjson(\.gz)?$/.test(name)) continue
    const bytes = await readFile(join(directory, name))
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
    for (const line of text.split('\n').filter((line) => line.trim() !== '')) {
      const { resourceType, id } = JSON.parse(line)
      const ids = lines.get(resourceType) ?? new Map()
      lines.set(resourceType, ids)
      if (ids.has(id)) assert.fail(`${resourceType}/${id} stands twice`)
      ids.set(id ?? String(ids.size), line.replace(/\r$/, ''))
    }
  }
  return lines
}

const bundles = join(folder, 'synthea-bundles')
const skipBundles = existsSync(bundles) ? false : 'the data set synthea-bundles is not beside the project'

describe('synthea-bundles: what a record refers to comes out with it', { skip: skipBundles }, () => {
  let server: TestServer
  let directory: string
  let exported: Lines
  let open: number

  before(async () => {
    server = await TestServer.start()
    directory = await mkdtemp(join(tmpdir(), 'millrace-bundles-'))
    await server.addTenant('real', 'hl7', { references: 'transitive' })
    const names = (await readdir(bundles)).filter((name) => name.endsWith('.json.gz'))
    const texts = await Promise.all(
      names.map(async (name) => gunzipSync(await readFile(join(bundles, name))).toString('utf8')),
    )
    const providers = join(directory, 'providers.json')
    await writeFile(providers, JSON.stringify(providersOf(texts)))
    const report = {
      onBytes: () => {},
      onBatch: () => {},
      onFault: (fault: object) => assert.fail(JSON.stringify(fault)),
    }
    // Providers last: the order does not matter. Twice: nothing changes.
    const { files } = await findSourceFiles([bundles, providers])
    const options = { bases: [server.base('real')], keepLastUpdated: false }
    const first = await load(server.pool, 'real', files, options, report)
    assert.ok(first.references.resolved > 500)
    open = first.references.open.count
    const { counts } = await load(server.pool, 'real', files, options, report)
    assert.deepEqual([counts.created, counts.updated], [0, 0])
    const { id: clientId, key } = await server.addClient('real')
    const patients = texts.map((text) => JSON.parse(text).entry[0].resource.id as string)
    const order = { selection: { patients }, types: [], typeFilters: [], since: undefined, includeAssociatedData: [] }
    const signal = AbortSignal.timeout(900_000)
    const out = join(directory, 'x')
    await runExport(
      { base: server.base('real'), credentials: { clientId, key }, order, directory: out, signal },
      () => {},
    )
    exported = await readFolder(out)
  })
  after(async () => {
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('no reference by identifier or URN stays open', () => {
    assert.equal(open, 0)
    for (const lines of exported.values())
      for (const line of lines.values()) assert.doesNotMatch(line, /"reference":"(urn:|[A-Z]\w+\?)/)
  })

  test('every Practitioner, Organization and Location that a record refers to comes out', () => {
    const all = [...exported.values()].flatMap((lines) => [...lines.values()])
    const referred = new Set(
      all.flatMap((line) =>
        [...line.matchAll(/"reference":"((?:Practitioner|Organization|Location)\/[\w.-]+)"/g)].map(
          (match) => match[1]!,
        ),
      ),
    )
    assert.ok(referred.size > 20)
    const missing = [...referred].filter((key) => {
      const [type = '', id = ''] = key.split('/')
      return !exported.get(type)?.has(id)
    })
    assert.deepEqual(missing, [])
  })

  test('the patients are all there, each with records', () => {
    assert.equal(exported.get('Patient')!.size, 6)
    const owners = new Set(
      [...exported.get('Encounter')!.values()].map((line) => JSON.parse(line).subject.reference as string),
    )
    assert.equal(owners.size, 6)
  })
})

/** What Synthea writes into files of their own, made from the identifiers by which its records name them. */
function providersOf(texts: readonly string[]): object {
  const names = new Set(
    texts.flatMap((text) => [...text.matchAll(/"([A-Z]\w+)\?identifier=([^"|]*)\|([^"]*)"/g)].map(([name]) => name)),
  )
  const entry = [...names].map((name) => {
    const [, type = '', system, value] = /"(\w+)\?identifier=(.*)\|(.*)"/.exec(name)!
    return {
      fullUrl: `urn:uuid:${randomUUID()}`,
      resource: { resourceType: type, identifier: [{ system, value }] },
      request: { method: 'POST', url: type, ifNoneExist: `identifier=${system}|${value}` },
    }
  })
  return { resourceType: 'Bundle', type: 'batch', entry }
}
