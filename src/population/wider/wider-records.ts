import type { Chart } from '../chart.ts'
import type { Seat } from '../seat.ts'
import { writeAppointments } from './appointments.ts'
import { writeCompositions, writeUnwritten } from './compositions.ts'
import { writeDispensing } from './dispensing.ts'
import { writeInsurance } from './insurance.ts'
import { writeOrders } from './orders.ts'
import { writeAnswers } from './questionnaire-responses.ts'
import { writeRelatives } from './relatives.ts'

/** Writes what a chart has in a population of all types, after everything else: it is made of the visits, prescriptions and reports. */
export function writeWider(chart: Chart, previous: Seat | undefined): void {
  const relatives = writeRelatives(chart)
  writeInsurance(chart, previous, relatives)
  writeOrders(chart)
  writeDispensing(chart)
  writeAppointments(chart, previous, relatives)
  writeAnswers(chart, relatives)
  writeCompositions(chart)
  writeUnwritten(chart)
}
