import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type InputForm, inputForm } from './input-form.ts'

const patient = '{"resourceType":"Patient","id":"p"}'
const pretty = JSON.stringify(JSON.parse(patient), null, 2)

const rows: readonly (readonly [
  what: string,
  head: string,
  ending: 'ndjson' | 'json' | undefined,
  expected: InputForm,
])[] = [
  ['lines', `${patient}\n${patient}\n`, 'ndjson', 'lines'],
  ['lines under the name of one text', `${patient}\n${patient}\n`, 'json', 'lines'],
  ['one text over several lines', pretty, 'json', 'whole'],
  ['one text over several lines under the name of lines', pretty, 'ndjson', 'whole'],
  ['one text over several lines without an ending', pretty, undefined, 'whole'],
  ['one text on one line', patient, 'json', 'lines'],
  ['blank lines and a byte order mark before it', `\u00ef\u00bb\u00bf\n \n${patient}\n${patient}`, undefined, 'lines'],
  ['a first line that is wrong in its middle', `{"a":x}\n${patient}\n`, 'ndjson', 'lines'],
  ['a text that is wrong in its first line', `{"a":x,\n"b":1}\n`, 'json', 'whole'],
  ['a first line that was cut off', `{"resourceType":"Pat\n${patient}\n`, 'ndjson', 'lines'],
  ['an array', '[\n{}\n]', 'json', 'whole'],
  ['nothing', ' \n', 'ndjson', 'empty'],
  ['a text of another kind', 'a,b\n1,2\n', undefined, 'neither'],
  ['a text of another kind under the name of lines', 'a,b\n', 'ndjson', 'lines'],
]

describe('the form of a file', () => {
  for (const [what, head, ending, expected] of rows) {
    it(`${what}: ${expected}`, () => assert.equal(inputForm(head, true, ending), expected))
  }
})
