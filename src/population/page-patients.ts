import { dayMs, exampleSince, yearMs } from './calendar.ts'

/** The patients of the operation page's example request, which is answered word for word when they are there. */
export const pagePatientIds: readonly string[] = ['12783127', '12783128', '12783129']
/** The Group of those three. */
export const pageGroupId = '11ec-d16a-c763b73e-98e8-a31715e6a2bf'
/** The Group of ten patients, which stands beside it in the sandbox. */
export const pageTenGroupId = '11ec-d16a-b40370f8-9d31-577f11a339c5'
export const pageTenGroupMembers = 10

/** Problems that each of the page's patients has at least. */
export const pageProblemsMin = 4

/**
 * When the nth problem (from 0) of a page's patient last changed: the first before the `_since` of the example request,
 * all others after it.
 */
export function pageProblemChanged(n: number): number {
  return n === 0 ? exampleSince - yearMs - 77 * dayMs : exampleSince + n * 97 * dayMs
}
