import assert from 'node:assert/strict'
import { exported } from '../exported.ts'
import { patientEntry } from '../kick-off.ts'
import { condition, patient, put } from '../resources.ts'
import type { Scenario } from '../scenario.ts'

const odd = {
  separators: 'line\u2028paragraph\u2029next\u0085end',
  emoji: '👩🏽‍⚕️ 🇫🇷 \u{1F4A9}',
  breaks: 'first\nsecond\r\nthird\ttab',
  quotes: 'a "quoted" \\ back\\slash / slash',
  mark: '\ufeffmark',
  controls: '\u0000\u001f\u007f',
} as const

/** How a client may spell the same JSON: numbers and escapes that a parser would not give back. */
const spelled =
  '{"resourceType":"Condition","id":"odd-spelled","subject":{"reference":"Patient\\/odd"},"onsetAge":{"value":1.10e0,"unit":"caf\\u00e9"},' +
  '"note":[{"text":"\\ud83d\\ude00 \\u2028 \\/ \\u0041"}]}'

/** T-188: odd but legal text stays what it was, one line for each record. */
export const textScenarios: readonly Scenario[] = [
  {
    t: [188],
    rules: ['NDJSON'],
    does: 'records with U+2028, emoji, line breaks, escapes and 1.10',
    outcome: 'one valid line each, to the letter but for meta',
    run: async (suite) => {
      const conditions = Object.entries(odd).map(([name, text]) =>
        condition(`odd-${name}`, 'odd', { note: [{ text }] }),
      )
      await put(suite, [patient('odd'), ...conditions, spelled])
      const found = await exported(suite, await suite.newCaller(), { patients: [patientEntry('Patient/odd')] })
      const lines = new Map(found.lines('Condition').map((line) => [JSON.parse(line).id as string, line]))
      assert.equal(lines.size, conditions.length + 1)
      for (const { id, ...rest } of conditions) {
        const { meta, ...others } = JSON.parse(lines.get(id)!)
        assert.equal(meta.versionId, '1')
        assert.deepEqual(others, { ...rest, id })
      }
      assert.equal(lines.get('odd-spelled')!.replace(/"meta":\{[^}]*\},/, ''), spelled)
    },
  },
]
