import { isAboutSomebody } from '../../fhir/open-reference.ts'
import { isOwnedType, isReferredType } from '../../fhir/resource-types.ts'
import type { ExportRequest } from '../request/export-request.ts'

/** Types of nobody that Oracle documents: they come along with what refers to them (S-8). */
const documented: ReadonlySet<string> = new Set(['Location', 'Organization', 'Practitioner'])

/** Whether records of a type that exported records refer to come along with them, as far as they are nobody's. */
export const comesAlong = ({ allReferred }: Pick<ExportRequest, 'allReferred'>, type: string): boolean =>
  allReferred ? isReferredType(type) : documented.has(type)

/** Whether a record that others refer to comes along with them: it is nobody's, and about no patient, be it one who is not known here. */
export const isNobodys = ({ owner, refs }: { readonly owner: string; readonly refs: string }): boolean =>
  owner === '' && !isAboutSomebody(refs)

/** Whether records of a type are exported because they are an owner's; or because they are there, where the whole system is exported. */
export const isOfOwners = ({ reach }: Pick<ExportRequest, 'reach'>, type: string): boolean =>
  reach === 'system' || isOwnedType(type)
