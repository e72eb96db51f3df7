import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { unexportedTypesMax } from '../../src/engine/references/unexported-issues.ts'
import type { JsonObject } from '../../src/fhir/json/json-object.ts'
import { ownersMax, subjectElementOf } from '../../src/fhir/ownership.ts'
import { allTypes, elementsAbout, isReferredType, patientElements } from '../../src/fhir/resource-types.ts'
import { draftOf } from '../../src/records/draft.ts'
import { storeDrafts } from '../../src/records/load/store-drafts.ts'
import { TestServer } from '../server.ts'
import { PatientClient } from '../simulation/patient-client.ts'

const tenant = 'whose'

const patient = (id: string): JsonObject => ({ resourceType: 'Patient', id })
const reference = (to: string): JsonObject => ({ reference: to })
const keyOf = ({ resourceType, id }: JsonObject): string => `${resourceType}/${id}`

/** A resource with values at a path such as `participant.actor`. */
function withAt(resourceType: string, id: string, path: string, ...values: unknown[]): JsonObject {
  const [last, ...before] = path.split('.').reverse()
  const items = values.map((value) =>
    before.reduce<unknown>((inner, name) => ({ [name]: [inner] }), { [last!]: value }),
  )
  const [first] = path.split('.')
  const merged = items.length === 1 ? items[0] : { [first!]: items.flatMap((item) => (item as JsonObject)[first!]) }
  return { resourceType, id, ...(merged as JsonObject) }
}

/** The elements by which records of a type may be a patient's. */
function elementsOf(type: string): readonly string[] {
  const subject = subjectElementOf(type)
  if (subject !== undefined) return [subject]
  return type === 'Patient' || type === 'Provenance' ? [] : patientElements(type)
}

/** A record of `e1` that refers to others. */
const referring = (id: string, records: readonly JsonObject[]): JsonObject => ({
  resourceType: 'Condition',
  id,
  subject: reference('Patient/e1'),
  evidence: [{ detail: records.map((each) => reference(keyOf(each))) }],
})

const places = allTypes.flatMap((type) => elementsOf(type).map((path, index) => ({ type, path, index })))

/** One for each element of each type by which it names another patient. */
const ofOther = places.map(({ type, path, index }) => withAt(type, `o-${index}`, path, reference('Patient/e2')))

/** Subjects of whom it cannot be told that they are no patients. */
const strangers: readonly JsonObject[] = [
  { identifier: { system: 's', value: 'v' } },
  { display: 'Somebody' },
  reference('urn:uuid:3f0a2f7e-0000-4000-8000-000000000000'),
  reference('#p'),
  reference('Patient?identifier=s|v'),
  reference('https://elsewhere.example/Patient/p'),
  reference('https://elsewhere.example/somebody'),
]
const about = allTypes.flatMap((type) =>
  (elementsOf(type).length > 0 ? elementsAbout(type).slice(0, 1) : []).map((path) => ({ type, path })),
)
const ofStrangers = about.flatMap(({ type, path }) =>
  strangers.map((subject, index) => withAt(type, `s-${index}`, path, subject)),
)

const others = [
  reference('Group/g'),
  reference('Location/l'),
  reference('https://elsewhere.example/Group/g'),
  { type: 'Group', display: 'All' },
]

/** Records of nobody: what they are about is no patient. */
const ofNobody = [
  ...others.map((subject, index) => withAt('GuidanceResponse', `n-${index}`, 'subject', subject)),
  withAt('Contract', 'n-4', 'signer.party', reference('Patient/e2')),
  { resourceType: 'Device', id: 'n-5' },
  withAt('Linkage', 'n-6', 'item.resource', { display: 'Somebody' }),
]

const crowds = [
  withAt('Contract', 'crowd', 'subject', reference('Patient/e1'), reference('Patient/e2')),
  withAt('Linkage', 'crowd', 'item.resource', reference('Patient/e1'), reference('Patient/e2')),
  withAt(
    'Group',
    'crowd',
    'member.entity',
    ...Array.from({ length: ownersMax + 1 }, (_, n) => reference(`Patient/e${n + 1}`)),
  ),
]

describe('whose the records of every type are (docs/decisions/0056)', () => {
  let server: TestServer
  let token: string
  let fleet: string

  before(async () => {
    server = await TestServer.start()
    await server.addTenant(tenant, 'hl7')
    const scope = 'system/*.read system/AuditEvent.read'
    token = await server.token(await server.addClient(tenant, scope), scope)
    const records = [...['e1', 'e2'].map(patient), ...ofOther, ...ofStrangers, ...ofNobody, ...crowds]
    await store([...records, referring('all', [...ofOther, ...ofStrangers, ...ofNobody, ...crowds])])
  })
  after(() => server?.stop())

  async function store(records: readonly JsonObject[], tenant = 'whose'): Promise<void> {
    const drafts = records.map((record) => draftOf(JSON.stringify(record), [server.base(tenant)]))
    const good = drafts.filter((draft) => 'text' in draft)
    assert.equal(good.length, drafts.length)
    await storeDrafts(server.pool, tenant, good, false, () => {})
  }

  it('are as many as to be worth asking', () => {
    assert.ok(ofOther.length > 100 && ofOther.filter((each) => isReferredType(String(each.resourceType))).length >= 10)
    assert.ok(about.some(({ type }) => type === 'Contract') && about.some(({ type }) => type === 'GuidanceResponse'))
  })

  for (const blocks of ['', '?organizeOutputBy=Patient']) {
    it(`come out for the patient whom they name, and for no other who refers to them${blocks}`, async () => {
      const keys = ofOther.map(keyOf)
      const [one, other] = [
        await exported(`Patient/e1/$export${blocks}`),
        await exported(`Patient/e2/$export${blocks}`),
      ]
      assert.deepEqual(
        keys.filter((key) => one.keys.has(key)),
        [],
      )
      assert.deepEqual(
        keys.filter((key) => !other.keys.has(key)),
        [],
      )
    })

    it(`come out for nobody where they are about somebody who is not known, or about too many${blocks}`, async () => {
      const keys = [...ofStrangers, ...crowds].map(keyOf)
      for (const path of ['Patient/e1/$export', 'Patient/e2/$export', 'Patient/$export']) {
        const { keys: found } = await exported(`${path}${blocks}`)
        assert.deepEqual(
          keys.filter((key) => found.has(key)),
          [],
          path,
        )
      }
      const { keys: all } = await exported('$export')
      assert.deepEqual(
        keys.filter((key) => !all.has(key)),
        [],
      )
    })

    it(`come along where they are about no patient${blocks}`, async () => {
      const { keys } = await exported(`Patient/e1/$export${blocks}`)
      assert.deepEqual(
        ofNobody.map(keyOf).filter((key) => !keys.has(key)),
        [],
      )
    })
  }

  it('are named by a system export where no export has their type', async () => {
    const typed = (count: number): JsonObject[] =>
      Array.from({ length: count }, (_, number) => ({
        resourceType: `Vehicle${String.fromCharCode(65 + number)}`,
        id: 'v',
      }))
    const told = (errors: readonly string[]) =>
      errors.filter((each) => each.includes('no export has')).map((each) => JSON.parse(each).issue[0].diagnostics)
    await server.addTenant('fleet', 'hl7')
    const scope = 'system/*.read system/Parameters.read'
    fleet = await server.token(await server.addClient('fleet', scope), scope)
    assert.deepEqual(told((await exported('$export', 'fleet')).errors), [])
    await store(
      [patient('p'), { resourceType: 'Parameters', id: 'x' }, ...typed(1), { ...typed(1)[0], id: 'w' }],
      'fleet',
    )
    assert.deepEqual(told((await exported('$export', 'fleet')).errors), ['Parameters: 1, VehicleA: 2'])
    assert.deepEqual(told((await exported('$export?_type=Patient', 'fleet')).errors), [])
    assert.deepEqual(told((await exported('Patient/$export', 'fleet')).errors), [])
    await store(typed(unexportedTypesMax - 1), 'fleet')
    const [all] = told((await exported('$export', 'fleet')).errors)
    assert.equal(all.split(', ').length, unexportedTypesMax)
    await store(typed(unexportedTypesMax), 'fleet')
    const [some] = told((await exported('$export', 'fleet')).errors)
    assert.equal(some, `${all}, and perhaps 1 more types`)
  })

  it('are counted where nobody gets them', async () => {
    const { errors } = await exported('Patient/$export')
    const text = errors.find((each) => each.includes('belong to none'))!
    const counts = new Map([...text.matchAll(/(\w+): (\d+)/g)].map(([, type, count]) => [type, Number(count)]))
    const expected = new Map<string, number>()
    for (const { resourceType } of [...ofStrangers, ...crowds]) {
      const type = String(resourceType)
      expected.set(type, (expected.get(type) ?? 0) + 1)
    }
    assert.deepEqual([...counts].sort(), [...expected].sort())
  })

  async function exported(path: string, tenant = 'whose'): Promise<{ keys: Set<string>; errors: readonly string[] }> {
    const own = tenant === 'fleet' ? fleet : token
    const answer = await fetch(`${server.base(tenant)}/${path}`, { headers: { authorization: `Bearer ${own}` } })
    assert.equal(answer.status, 202, await answer.text())
    const client = new PatientClient(server, tenant, own)
    const { output, error } = await client.finished(answer.headers.get('content-location')!)
    const linesOf = async (files: typeof output) => (await Promise.all(files.map((file) => client.lines(file)))).flat()
    return {
      keys: new Set((await linesOf(output)).map((line) => keyOf(JSON.parse(line)))),
      errors: await linesOf(error),
    }
  }
})
