import type { ResourceType } from '../../fhir/resource-types.ts'
import { keptMembers } from '../../fhir/root-elements.ts'
import { subsetText } from '../../fhir/subset-text.ts'
import type { Job } from '../../jobs/job.ts'
import type { RecordAsOf } from '../../records/as-of.ts'
import { lineTest } from './line-test.ts'

/** Makes some records of others. */
type Shape = (records: readonly RecordAsOf[]) => readonly RecordAsOf[]

/** Lets those records through that the `_typeFilter` of their type does. */
export function chooserOf(job: Job, type: string): Shape {
  const test = lineTest(job, type)
  return test === undefined ? (records) => records : (records) => records.filter(({ body }) => test.passes(body))
}

/** Renders a line with the elements that `_elements` asks for (D16); undefined when the export has no such list. */
export function lineRendererOf({ request }: Job, type: string): ((line: Buffer) => Buffer) | undefined {
  const wanted = request.elements?.[type]
  if (wanted === undefined) return undefined
  const keeps = keptMembers(type as ResourceType, wanted)
  return (line) => Buffer.from(subsetText(line.toString('utf8'), keeps))
}

/** The same of records. */
export function rendererOf(job: Job, type: string): Shape {
  const render = lineRendererOf(job, type)
  if (render === undefined) return (records) => records
  return (records) => records.map((record) => ({ ...record, body: render(record.body) }))
}

/** Chooser and renderer of each type of a job, made once. */
export function shapesOf(job: Job): (type: string) => { readonly choose: Shape; readonly render: Shape } {
  const known = new Map<string, { readonly choose: Shape; readonly render: Shape }>()
  return (type) => {
    const shape = known.get(type) ?? { choose: chooserOf(job, type), render: rendererOf(job, type) }
    known.set(type, shape)
    return shape
  }
}
