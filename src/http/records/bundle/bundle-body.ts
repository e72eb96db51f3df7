import type { FastifyRequest } from 'fastify'
import { type BundleEntry, openBundle, readEntries } from '../../../fhir/bundle/bundle-entries.ts'
import { jsonDepthMax } from '../../../fhir/json/json-text.ts'
import { jsonVerdict } from '../../../fhir/json/json-verdict.ts'
import { type Problem, problem } from '../../../protocol/problem.ts'
import { type Caller, callerOf } from '../../caller.ts'
import { takeBodyText } from '../resource-body.ts'
import { stepOf } from './entry-step.ts'
import type { BundleType, Step } from './step.ts'
import { type Questions, questionsOf } from './store-view.ts'

/** What the JSON of a Bundle may have: parsing it takes the time of everybody. Its resources have the bounds of a record besides. */
const bundleJson = { depthMax: jsonDepthMax + 4, valuesMax: 1_000_000 }

/** The most entries of one Bundle. */
const bundleEntriesMax = 10_000

/** The most identifiers that one Bundle may ask for, in conditions and conditional references. */
const queriesMax = 20_000

/** The most identifiers that all records of one Bundle may have: each becomes a row of the index, and is hashed before. */
const bundleIdentifiersMax = 100_000

/** The Bundle of a request. */
export interface BundleBody {
  readonly type: BundleType
  readonly steps: readonly Step[]
  readonly questions: Questions
}

export function readBundle(request: FastifyRequest): BundleBody | Problem {
  const text = takeBodyText(request, judgeBundle)
  if (typeof text !== 'string') return text
  const opened = openBundle(text)
  const { type, items } = opened
  if (opened.isTooDeep) return beyondBounds
  if (opened.resourceType !== 'Bundle' || (type !== 'transaction' && type !== 'batch')) {
    return problem(400, 'value', 'Only a Bundle of type transaction or batch can be posted here.', {
      expression: 'Bundle.type',
    })
  }
  if (items && items.length > bundleEntriesMax) {
    return problem(413, 'too-long', `A Bundle may have at most ${bundleEntriesMax} entries.`, {
      expression: 'Bundle.entry',
    })
  }
  const { entries, twice } = readEntries(text, opened)
  if (twice !== undefined) {
    return problem(400, 'structure', 'A member of the Bundle or of an entry stands twice.', { expression: twice })
  }
  if (!entries) return problem(400, 'structure', 'Bundle.entry must be an array.', { expression: 'Bundle.entry' })
  const caller = callerOf(request)
  const steps = stepsOf(entries, caller)
  if ('status' in steps) return steps
  const questions = questionsOf(steps)
  if (questions.queries.length <= queriesMax) return { type, steps, questions }
  return problem(413, 'too-long', `A Bundle may ask for at most ${queriesMax} identifiers.`, {
    expression: 'Bundle.entry',
  })
}

function judgeBundle(bytes: Buffer): Problem | undefined {
  const verdict = jsonVerdict(bytes, bundleJson)
  if (verdict === undefined) return undefined
  if (verdict === 'syntax') return problem(400, 'structure', 'The body is not JSON.')
  return beyondBounds
}

const beyondBounds: Problem = problem(413, 'too-long', `A Bundle may have at most ${bundleJson.valuesMax} values.`, {
  diagnostics: `It may nest ${bundleJson.depthMax} levels deep, and each record in it ${jsonDepthMax - 2}.`,
})

/** Understands entries, but no more of them than may be. */
function stepsOf(entries: readonly BundleEntry[], caller: Caller): readonly Step[] | Problem {
  const steps: Step[] = []
  let identifiers = 0
  for (const entry of entries) {
    const step = stepOf(entry, caller)
    steps.push(step)
    identifiers += step.kind === 'create' || step.kind === 'update' ? step.draft.identifiers.length : 0
    if (identifiers <= bundleIdentifiersMax) continue
    return problem(413, 'too-long', `The records of a Bundle may have at most ${bundleIdentifiersMax} identifiers.`, {
      expression: 'Bundle.entry',
    })
  }
  return steps
}
