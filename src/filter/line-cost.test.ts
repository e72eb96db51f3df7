import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operationsOf } from '../../test/operations.ts'
import { compileFilter } from './compile.ts'
import { parseTypeFilter } from './parse/parse.ts'
import { hl7Switches } from './parse/switches.ts'

function filterOf(query: string) {
  const { queries } = parseTypeFilter([{ text: query, at: 'x' }], {
    types: ['Observation'],
    exported: [],
    switches: hl7Switches,
  })
  return compileFilter(queries.get('Observation')!, { bases: [], now: new Date('2026-01-01T00:00:00Z') })
}

test('the work for a line grows as the line does, whatever the line', async () => {
  const filter = filterOf('Observation?status=a,b,c,d,e&date=ge2020&date=lt2021&code:not=1')
  const shapes: readonly ((size: number) => string)[] = [
    (size) => `{"text":"${'\\"'.repeat(size)}"}`,
    (size) => `{"text":"${'x'.repeat(size)}`,
    (size) => `{${'"status":"a",'.repeat(size)}"status":"b"}`,
    (size) => `{"text":${'['.repeat(size)}${']'.repeat(size)}}`,
    (size) => `{"code":{"coding":[${'{"code":"2"},'.repeat(size)}{"code":"3"}]},"status":"a"}`,
    (size) => `{"effectiveDateTime":"${'2020-'.repeat(size)}","status":"a"}`,
    (size) => `{"a":${' '.repeat(size)}1}`,
    (size) => `{"a":1${'1'.repeat(size)},"status"`,
  ]
  for (const shape of shapes) {
    const work = (size: number) => {
      const line = Buffer.from(shape(size))
      return operationsOf(() => {
        for (let times = 0; times < 3; times++) {
          try {
            filter.passes(line, 0, line.length)
          } catch {}
        }
      })
    }
    await work(500)
    const [small, large] = [await work(2_000), await work(16_000)]
    assert.ok(large < small * 8 * 1.5, `${shape(1)}: ${small} and ${large}`)
  }
})

test('a member is gone through once, however many criteria look into it', async () => {
  const line = Buffer.from(
    `{"meta":{"extension":[${'{"url":"u"},'.repeat(2_000)}{}],"tag":[{"code":"a"}]},"status":"final"}`,
  )
  const work = (criteria: number) => {
    const filter = filterOf(
      `Observation?${Array.from({ length: criteria }, (_, index) => `_tag:not=${index}`).join('&')}`,
    )
    filter.passes(line, 0, line.length)
    return operationsOf(() => filter.passes(line, 0, line.length))
  }
  await work(1)
  const [one, many] = [await work(1), await work(50)]
  assert.ok(many < one * 1.5, `${one} and ${many}`)
})
