import { jsonFaultAt } from '../../../fhir/json/json-fault.ts'

/** How the bytes of a file are to be read: line by line, as one JSON text, or not at all. */
export type InputForm = 'lines' | 'whole' | 'empty' | 'neither'

const markPattern = /^(?:\ufeff|\u00ef\u00bb\u00bf)/

/**
 * Tells from its first bytes what a file is. The name only decides where they do not.
 * @param head the beginning of the file; bytes as characters do, for all that matters here is ASCII
 * @param isWhole whether that is all of it
 * @param ending what the name says
 */
export function inputForm(head: string, isWhole: boolean, ending: 'ndjson' | 'json' | undefined): InputForm {
  const lines = head
    .split('\n')
    .map((line) => line.replace(markPattern, '').trim())
    .filter((line) => line !== '')
  const [first, second] = lines
  if (first === undefined) return isWhole ? 'empty' : 'neither'
  if (!/^[{[]/.test(first)) return ending === undefined ? 'neither' : ending === 'json' ? 'whole' : 'lines'
  if (second === undefined) return 'lines'
  const fault = jsonFaultAt(first)
  if (fault === undefined) return 'lines'
  if (fault < first.length) return ending === 'json' ? 'whole' : 'lines'
  // The first line is the beginning of something. If the second is whole by itself, the first was cut off.
  return first.startsWith('{') && second.startsWith('{') && jsonFaultAt(second) === undefined ? 'lines' : 'whole'
}
