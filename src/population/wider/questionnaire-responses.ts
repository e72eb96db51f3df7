import { dateTime } from '../calendar.ts'
import type { Chart } from '../chart.ts'
import { coding, decimal, reference } from '../datatypes.ts'
import { prose } from '../resources/note.ts'
import { definition } from './type-definition.ts'

const system = 'http://loinc.org'
const answers = [
  coding(system, 'LA6568-5', 'Not at all'),
  coding(system, 'LA6569-3', 'Several days'),
  coding(system, 'LA6570-1', 'More than half the days'),
  coding(system, 'LA6571-9', 'Nearly every day'),
]
const questions = [
  ['44250-9', 'Little interest or pleasure in doing things'],
  ['44255-8', 'Feeling down, depressed, or hopeless'],
] as const

const askedShare = 0.2

/** Writes QuestionnaireResponses of some visits, answered by the patient or a relative. */
export function writeAnswers(chart: Chart, relatives: readonly string[]): void {
  const { random, person, subject, subjectShown, seat } = chart
  for (const [index, visit] of chart.visits.entries()) {
    if (!(seat.kind === 'page' && index === 0) && !random.chance(askedShare)) continue
    const [relative] = relatives
    const source = relative !== undefined && random.chance(0.3) ? reference(relative) : subject
    chart.add('QuestionnaireResponse', chart.nextId(), visit, definition('QuestionnaireResponse'), {
      questionnaire: 'http://loinc.org/q/44249-1',
      status: 'completed',
      subject: subjectShown,
      encounter: visit.encounter,
      authored: dateTime(visit.start, person.town.offsetHours),
      author: visit.by.reference,
      source,
      item: [
        ...questions.map(([linkId, text]) => ({ linkId, text, answer: [{ valueCoding: random.pick(answers) }] })),
        {
          linkId: 'sleep',
          text: 'Hours of sleep',
          answer: [{ valueDecimal: decimal(random.integer(40, 95) / 10, 1) }],
        },
        { linkId: 'remarks', text: 'Anything else', answer: [{ valueString: prose(random, 1) }] },
      ],
    })
  }
}
