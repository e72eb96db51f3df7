import { isObject } from '../../fhir/json/json-object.ts'
import type { Step } from '../search-parameter.ts'

/** A question to one element of a parsed resource. */
export type Test = (element: unknown) => boolean

/** Whether a test holds for the value, or for an item when it is an array. */
export const someItem = (value: unknown, test: Test): boolean =>
  Array.isArray(value) ? value.some((item) => someItem(item, test)) : test(value)

/** Whether a test holds for some element that the steps lead to; arrays on the way count item by item. */
export function someElement(value: unknown, steps: readonly Step[], test: Test, at = 0): boolean {
  if (value === undefined || value === null) return false
  if (Array.isArray(value)) return value.some((item) => someElement(item, steps, test, at))
  const step = steps[at]
  if (step === undefined) return test(value)
  if (!isObject(value)) return false
  if (typeof step === 'string') return someElement(value[step], steps, test, at + 1)
  return value[step.where] === step.is && someElement(value, steps, test, at + 1)
}

/** Whether an element has a value at any depth: ids and extensions, such as a dataAbsentReason, are none (R4 `:missing`). */
export function hasValue(element: unknown): boolean {
  if (Array.isArray(element)) return element.some(hasValue)
  if (!isObject(element)) return element !== undefined && element !== null
  return Object.keys(element).some(
    (name) => name !== 'id' && name !== 'extension' && name[0] !== '_' && hasValue(element[name]),
  )
}
