import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { allTypes, documentedTypes } from '../../fhir/resource-types.ts'
import { type Profile, profiles } from '../profile.ts'
import { capabilityStatement } from './capability-statement.ts'

interface Served {
  readonly type: string
  readonly extension?: readonly { readonly url: string; readonly valueCanonical: string }[]
  readonly documentation?: string
  readonly searchParam?: readonly { readonly name: string; readonly type: string }[]
}

const urls = {
  base: 'https://fhir.example.org/r4/clinic',
  tokenEndpoint: 'https://fhir.example.org/token',
  definition: (operation: string) => `https://fhir.example.org/r4/OperationDefinition/${operation}`,
}

const statementOf = (profile: Profile) =>
  capabilityStatement(urls, profile, '0.0.0', '2026-01-01T00:00:00Z') as { rest: { resource: Served[] }[] }
const resourcesOf = (profile: Profile) => statementOf(profile).rest[0]!.resource
const parametersOf = (profile: Profile, type: string) =>
  resourcesOf(profile)
    .find((each) => each.type === type)
    ?.searchParam?.map(({ name }) => name)

describe('the CapabilityStatement', () => {
  it('of millennium is what it always was, to the last letter', () => {
    const { millennium } = profiles
    assert.deepEqual(
      resourcesOf(millennium).map(({ type }) => type),
      [...documentedTypes, 'Group', 'AuditEvent'],
    )
    const common = ['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag']
    assert.deepEqual(parametersOf(millennium, 'Group'), common.slice(2))
    assert.deepEqual(parametersOf(millennium, 'AuditEvent'), ['date'])
    const digest = createHash('sha256')
      .update(JSON.stringify(statementOf(millennium)))
      .digest('hex')
    assert.equal(digest, 'b43ec48e58edcc4230c12224b599bffcf3ed67537c719bad1c4302c1aabf9c2e')
  })

  it('of hl7 has every type that is exported, and the parameters by which exports are filtered', () => {
    const { hl7 } = profiles
    const types = resourcesOf(hl7).map(({ type }) => type)
    assert.deepEqual(types.toSorted(), [...allTypes, 'Parameters'].toSorted())
    assert.ok(parametersOf(hl7, 'Group')?.includes('member'))
    const trail = parametersOf(hl7, 'AuditEvent')!
    assert.ok(['date', 'agent', 'entity'].every((name) => trail.includes(name)))
    assert.equal(new Set(trail).size, trail.length)
  })

  it('of hl7 says of what is stored and not exported that the operation is not supported (C4)', () => {
    const said = resourcesOf(profiles.hl7).filter(({ extension }) => extension !== undefined)
    assert.deepEqual(
      said.map(({ type, extension }) => [type, extension!.map(({ url }) => url)]),
      [
        [
          'Parameters',
          ['Extension', 'StructureDefinition'].map(
            (kind) => `http://hl7.org/fhir/uv/bulkdata/${kind}/operation-not-supported`,
          ),
        ],
      ],
    )
  })
})
