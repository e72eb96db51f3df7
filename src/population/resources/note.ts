import { dateTime } from '../calendar.ts'
import type { Authorship, Chart } from '../chart.ts'
import type { Json, Raw } from '../json.ts'
import { longText, longTextEvery, oddText } from '../odd-text.ts'
import type { Random } from '../random.ts'

const noteShare = 0.12
const oddShare = 0.25
const authorsByName = 0.15

const sentences = [
  'Seen with an interpreter.',
  'Tolerates the current dose without side effects.',
  'Patient asks for a written summary after each visit.',
  'Reviewed together with the family.',
  'No change since the last review.',
  'Sleep has improved; appetite is normal.',
  'Advised to return sooner if symptoms get worse.',
  'Home readings were brought on paper and agree with ours.',
  'Walks thirty minutes on most days of the week.',
  'Missed two appointments because of transport.',
  'Result discussed by telephone; questions were answered.',
  'Prefers morning appointments.',
]

/** A few plain sentences. */
export function prose(random: Random, count: number): string {
  let text = random.pick(sentences)
  for (let i = 1; i < count; i++) text += ` ${random.pick(sentences)}`
  return text
}

/** `note` of a record: absent from most, odd text in some. */
export function note(chart: Chart, written: Authorship): Json[] {
  const { random } = chart
  if (!random.chance(noteShare)) return []
  const text = random.chance(oddShare) ? oddText(random.integer(0, 1000)) : prose(random, random.integer(1, 4))
  return [annotation(chart, written, text)]
}

/** Notes that every patient's first problem has: each odd text in turn, and the very long one for a few. */
export function promisedNotes(chart: Chart, written: Authorship): Json[] {
  const { index } = chart.seat
  const odd = annotation(chart, written, oddText(index))
  return index % longTextEvery === 1 ? [odd, annotation(chart, written, longText)] : [odd]
}

function annotation({ random, person }: Chart, { at, by, organization }: Authorship, text: string | Raw): Json {
  const time = dateTime(at, person.town.offsetHours)
  if (random.chance(authorsByName)) return { authorString: by.name, time, text }
  const author = random.chance(0.1) ? organization.reference : by.reference
  return { authorReference: author, time, text }
}
