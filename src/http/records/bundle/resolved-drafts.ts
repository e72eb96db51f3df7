import type { TextFault } from '../../../fhir/resource-text.ts'
import { type Draft, draftOfSent } from '../../../records/draft.ts'
import type { Write } from './step.ts'

/** The drafts of a Bundle with its references resolved. To make one costs more than all else of a plan, and a Bundle may be planned again. */
export class ResolvedDrafts {
  readonly #made = new Map<Write, { readonly text: string; readonly draft: Draft }>()

  of(step: Write, text: string, id: string, bases: readonly string[]): Draft | TextFault {
    if ('text' in step.draft && text === step.source && id === step.draft.id) return step.draft
    const made = this.#made.get(step)
    if (made?.text === text && made.draft.id === id) return made.draft
    const draft = draftOfSent(text, bases, id)
    if (!('fault' in draft)) this.#made.set(step, { text, draft })
    return draft
  }
}
