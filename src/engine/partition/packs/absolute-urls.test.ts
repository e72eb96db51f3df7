import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parseTypeFilter } from '../../../filter/parse/parse.ts'
import { hl7Switches } from '../../../filter/parse/switches.ts'
import type { ExportRequest } from '../../../protocol/request/export-request.ts'
import { openPacksAndVersions } from './packs-and-versions.fixture.ts'

const base = 'https://here.example.org/r4/clinic'

/** Records of one patient of whose Attachments some have relative URLs. */
describe('relative URLs of Attachments', () => {
  let patient: Awaited<ReturnType<typeof openPacksAndVersions>>
  let middle: number
  const subject = { reference: 'Patient/p' }
  const report = (id: string, url?: string, more: object = {}) => ({
    resourceType: 'DiagnosticReport',
    id,
    status: 'final',
    subject,
    ...(url === undefined ? {} : { presentedForm: [{ contentType: 'text/plain', url }] }),
    ...more,
  })
  const records = [
    {
      resourceType: 'Patient',
      id: 'p',
      photo: [{ url: 'Binary/photo' }, { url: 'https://there.example.org/Binary/photo' }],
    },
    report('a', 'Binary/a'),
    report('b'),
    report('c', `${base}/Binary/c`, { category: [{ text: 'x' }] }),
    { resourceType: 'Condition', id: 'c', subject },
    {
      resourceType: 'Provenance',
      id: 'v',
      target: [{ reference: 'DiagnosticReport/a' }],
      recorded: '2026-01-01T00:00:00Z',
    },
    { resourceType: 'Binary', id: 'a', contentType: 'text/plain', data: 'YQ==' },
    { resourceType: 'Binary', id: 'photo', contentType: 'text/plain', data: 'YQ==', securityContext: subject },
  ]

  before(async () => {
    patient = await openPacksAndVersions()
    await patient.put(...records)
    middle = await patient.now()
    await patient.put(report('d', 'Binary/d', { status: 'amended' }), report('e'))
  })
  after(() => patient.close())

  const types = ['Patient', 'Condition', 'DiagnosticReport', 'Provenance', 'Binary']
  const hl7 = { types, base, absoluteUrls: true, allReferred: true } as unknown as Partial<ExportRequest>
  const query = (text: string): Partial<ExportRequest> => {
    const { queries } = parseTypeFilter([{ text, at: 'x' }], { types, exported: types, switches: hl7Switches } as never)
    return { filters: Object.fromEntries([...queries].map(([type, list]) => [type, [list]])) } as never
  }

  /** The URLs of what an export brings, the same out of packs and out of versions. */
  async function urls(more: Partial<ExportRequest>): Promise<readonly string[]> {
    await patient.pack()
    const packed = await patient.exportedLines({ ...hl7, ...more })
    await patient.dropPacks()
    assert.deepEqual(packed, await patient.exportedLines({ ...hl7, ...more }))
    const { OperationOutcome, ...output } = packed
    const lines = Object.values(output).flat()
    return lines.flatMap((line) => [...line.matchAll(/"url":"([^"]*)"/g)].map(([, url]) => url!)).sort()
  }

  const absolute = (...ids: string[]) => ids.map((id) => `${base}/Binary/${id}`)
  const elsewhere = 'https://there.example.org/Binary/photo'

  it('come out absolute, out of packs and versions, in every shape', async () => {
    const all = [...absolute('a', 'c', 'd', 'photo'), elsewhere]
    const shapes: readonly (readonly [Partial<ExportRequest>, readonly string[]])[] = [
      [{}, all],
      [{ organizedBy: 'Patient' }, all],
      [{ provenance: 'latest' }, all],
      [{ reach: 'system' } as never, all],
      [query('DiagnosticReport?status=amended'), [...absolute('d', 'photo'), elsewhere]],
      [query('DiagnosticReport?category:missing=false'), [...absolute('c', 'photo'), elsewhere]],
      [{ since: middle }, absolute('d')],
      [{ until: middle + 1 }, [...absolute('a', 'c', 'photo'), elsewhere]],
      [{ elements: { DiagnosticReport: ['presentedForm'], Patient: ['name'] } } as never, absolute('a', 'c', 'd')],
    ]
    for (const [more, expected] of shapes)
      assert.deepEqual(await urls(more), [...expected].sort(), JSON.stringify(more))
  })

  it('cost the packs of other records nothing: these are copied', async () => {
    await patient.pack()
    const sources = async (more: object) => {
      const { OperationOutcome, ...output } = await patient.exportedLines({ ...hl7, ...more } as never)
      return patient.sourcesOf(output)
    }
    // The Binary that comes along is nobody's.
    assert.deepEqual(await sources({}), { packs: 3, chosen: 6, versions: 1 })
    assert.deepEqual(await sources({ absoluteUrls: undefined }), { packs: 9, chosen: 0, versions: 1 })
  })
})
