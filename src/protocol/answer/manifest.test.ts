import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { manifestFilesMax } from '../limits.ts'
import { profiles } from '../profile.ts'
import { manifestOf } from './manifest.ts'

const base = 'https://fhir.example.org/r4/clinic'
const part = (id: string, kind: 'output' | 'deleted' | 'error' = 'output', continues = false) => ({
  id,
  kind,
  type: kind === 'output' ? 'Patient' : kind === 'deleted' ? 'Bundle' : 'OperationOutcome',
  records: 1,
  continues,
})
const parts = (count: number) => Array.from({ length: count }, (_, index) => part(`p${index}`))
const job = (of: ReturnType<typeof part>[], request: object) => ({
  id: 'job',
  transactionTime: 0,
  url: `${base}/Patient/$export`,
  request,
  files: of,
})
const idsIn = (files: readonly { readonly url: string }[] = []) => files.map(({ url }) => url.split('/').at(-1))

/** The manifests of a job, each by the link of the one before. */
function pages(of: ReturnType<typeof part>[], request: object) {
  const found = []
  for (let page = 1; ; page++) {
    const manifest = manifestOf(job(of, request), base, profiles.hl7, page)
    assert.ok(manifest)
    found.push(manifest)
    if (manifest.link === undefined) break
    assert.deepEqual(manifest.link, [{ relation: 'next', url: `${base}/bulk-export/jobs/job?page=${page + 1}` }])
  }
  assert.equal(manifestOf(job(of, request), base, profiles.hl7, found.length + 1), undefined)
  return found
}

describe('several manifests (D17)', () => {
  it('are one up to the bound, and two above it', () => {
    const sizes = (count: number) => pages(parts(count), { partialManifests: true }).map(({ output }) => output.length)
    assert.deepEqual(sizes(0), [0])
    assert.deepEqual(sizes(manifestFilesMax - 1), [manifestFilesMax - 1])
    assert.deepEqual(sizes(manifestFilesMax), [manifestFilesMax])
    assert.deepEqual(sizes(manifestFilesMax + 1), [manifestFilesMax, 1])
  })

  it('are never more than one when the client did not allow them', () => {
    assert.deepEqual(
      pages(parts(manifestFilesMax + 1), {}).map(({ output }) => output.length),
      [manifestFilesMax + 1],
    )
  })

  it('divide output and deletions, and have the same errors', () => {
    const all = [part('d', 'deleted'), part('e', 'error'), ...parts(manifestFilesMax)]
    const [first, second] = pages(all, { partialManifests: true, deletions: true })
    assert.deepEqual([idsIn(first?.deleted), idsIn(second?.deleted)], [[], ['d']])
    assert.deepEqual([first?.output.length, second?.output.length], [manifestFilesMax, 0])
    assert.deepEqual([idsIn(first?.error), idsIn(second?.error)], [['e'], ['e']])
  })
})

describe('a manifest of files that are organized by patient (D17)', () => {
  it('has no types, and says in which file a block goes on, be it in the next manifest', () => {
    const all = parts(manifestFilesMax + 1).map((each, index) => ({
      ...each,
      continues: index === manifestFilesMax - 1,
    }))
    const found = pages([...all, part('d', 'deleted')], {
      organizedBy: 'Patient',
      partialManifests: true,
      deletions: true,
    })
    for (const { outputOrganizedBy, output, deleted } of found) {
      assert.equal(outputOrganizedBy, 'Patient')
      for (const file of [...output, ...deleted!]) assert.equal(file.type, undefined)
    }
    const files = found.flatMap(({ output }) => output)
    assert.deepEqual(
      files.filter(({ continuesInFile }) => continuesInFile !== undefined).map(({ url }) => url),
      [`${base}/bulk-export/files/p${manifestFilesMax - 1}`],
    )
    assert.equal(files.at(-2)?.continuesInFile, files.at(-1)?.url)
  })
})
