import { isObject } from '../../fhir/json/json-object.ts'
import type { Fault } from '../fault.ts'
import type { StringValue } from '../query.ts'
import type { Datatype } from '../search-parameter.ts'
import { someItem, type Test } from './element.ts'

/** A text without case and accents, so that equal foldings count as equal (R4 string search). */
const fold = (text: string): string => text.toUpperCase().normalize('NFD').replace(/\p{M}/gu, '')

/** Reads the value of a string parameter. */
export function readString(text: string, modifier: string | undefined): StringValue | Fault {
  if (modifier === 'exact') return { kind: 'string', match: 'exact', text }
  if (fold(text) === '') return { fault: 'has no letters', allowed: 'a text with letters' }
  return { kind: 'string', match: modifier === 'contains' ? 'contains' : 'start', text }
}

/** Tests an element against a string value; of names and addresses every text counts. */
export function stringTest({ match, text }: StringValue, datatype: Datatype): Test {
  const members = textMembers[datatype]
  const test = textTest(match, text)
  if (members === undefined) return test
  return (element) => isObject(element) && members.some((name) => someItem(element[name], test))
}

function textTest(match: StringValue['match'], text: string): Test {
  if (match === 'exact') return (element) => element === text
  const wanted = fold(text)
  if (match === 'contains') return (element) => typeof element === 'string' && fold(element).includes(wanted)
  return (element) => typeof element === 'string' && fold(element).startsWith(wanted)
}

const textMembers: Partial<Record<Datatype, readonly string[]>> = {
  HumanName: ['text', 'family', 'given', 'prefix', 'suffix'],
  Address: ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
}

/** Tests the texts of a coded element or identifier (`:text`), as a string search does. */
export function codedTextTest(text: string, datatype: Datatype): Test {
  const test = textTest('start', text)
  const display = (coding: unknown) => isObject(coding) && test(coding.display)
  switch (datatype) {
    case 'CodeableConcept':
      return (element) => isObject(element) && (test(element.text) || someItem(element.coding, display))
    case 'Coding':
      return display
    case 'Identifier':
      return (element) => isObject(element) && isObject(element.type) && test(element.type.text)
    default:
      return () => false
  }
}
