import { concept, decimal, fixed, loinc, quantity, terminology, unit } from '../datatypes.ts'
import { Raw } from '../json.ts'

/* What is measured, in which unit, and what is normal. */

/** A measured quantity. `low`–`high` is the reference range; values reach a little beyond it on both sides. */
export interface Measure {
  readonly code: Raw
  readonly unitMembers: string
  readonly low: number
  readonly high: number
  readonly places: number
  /** `referenceRange`, written once. */
  readonly range?: Raw
}

/** A laboratory panel: the DiagnosticReport's code and its members. */
export interface Panel {
  readonly code: Raw
  readonly measures: readonly Measure[]
}

export function measure(
  code: string,
  display: string,
  unitMembers: string,
  low: number,
  high: number,
  places: number,
): Measure {
  const ends = { low: quantity(decimal(low, places), unitMembers), high: quantity(decimal(high, places), unitMembers) }
  const text = `${low.toFixed(places)} - ${high.toFixed(places)}`
  const range = fixed([{ ...ends, type: normalRange, text }])
  return { code: concept(loinc, code, display), unitMembers, low, high, places, range }
}

const normalRange = fixed({
  coding: [{ system: `${terminology}/referencerange-meaning`, code: 'normal', display: 'Normal Range' }],
})

const perDecilitre = unit('mg/dL')
/** The same unit with an escaped slash: other bytes, the same string. */
const perDecilitreEscaped = String.raw`"unit":"mg\/dL","system":"http:\/\/unitsofmeasure.org","code":"mg\/dL"`
const gramsPerDecilitre = unit('g/dL')
const millimoles = unit('mmol/L')
const units = unit('U/L')
const percent = unit('%')

export const panels = {
  lipid: {
    code: concept(loinc, '57698-3', 'Lipid panel with direct LDL - Serum or Plasma'),
    measures: [
      measure('2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', perDecilitre, 120, 200, 1),
      measure('2571-8', 'Triglyceride [Mass/volume] in Serum or Plasma', perDecilitre, 40, 150, 1),
      measure(
        '18262-6',
        'Cholesterol in LDL [Mass/volume] in Serum or Plasma by Direct assay',
        perDecilitre,
        50,
        130,
        1,
      ),
      measure('2085-9', 'Cholesterol in HDL [Mass/volume] in Serum or Plasma', perDecilitreEscaped, 40, 80, 1),
    ],
  },
  metabolic: {
    code: concept(loinc, '51990-0', 'Basic metabolic panel - Blood'),
    measures: [
      measure('2339-0', 'Glucose [Mass/volume] in Blood', perDecilitre, 70, 100, 2),
      measure('6299-2', 'Urea nitrogen [Mass/volume] in Blood', perDecilitre, 7, 20, 2),
      measure('38483-4', 'Creatinine [Mass/volume] in Blood', perDecilitre, 0.6, 1.3, 2),
      measure('49765-1', 'Calcium [Mass/volume] in Blood', perDecilitreEscaped, 8.5, 10.2, 2),
      measure('2947-0', 'Sodium [Moles/volume] in Blood', millimoles, 136, 145, 0),
      measure('6298-4', 'Potassium [Moles/volume] in Blood', millimoles, 3.5, 5.1, 2),
      measure('2069-3', 'Chloride [Moles/volume] in Blood', millimoles, 98, 107, 0),
      measure('20565-8', 'Carbon dioxide, total [Moles/volume] in Blood', millimoles, 22, 29, 1),
    ],
  },
  bloodCount: {
    code: concept(loinc, '58410-2', 'CBC panel - Blood by Automated count'),
    measures: [
      measure('6690-2', 'Leukocytes [#/volume] in Blood by Automated count', unit('10*3/uL'), 4.5, 11, 2),
      measure('789-8', 'Erythrocytes [#/volume] in Blood by Automated count', unit('10*6/uL'), 4.2, 5.9, 2),
      measure('718-7', 'Hemoglobin [Mass/volume] in Blood', gramsPerDecilitre, 12, 17.5, 1),
      measure('4544-3', 'Hematocrit [Volume Fraction] of Blood by Automated count', percent, 36, 50, 1),
      measure('787-2', 'MCV [Entitic volume] by Automated count', unit('fL'), 80, 100, 1),
      measure('785-6', 'MCH [Entitic mass] by Automated count', unit('pg'), 27, 33, 1),
      measure('786-4', 'MCHC [Mass/volume] by Automated count', gramsPerDecilitre, 32, 36, 1),
      measure('777-3', 'Platelets [#/volume] in Blood by Automated count', unit('10*3/uL'), 150, 400, 0),
    ],
  },
  liver: {
    code: concept(loinc, '24323-8', 'Comprehensive metabolic 2000 panel - Serum or Plasma'),
    measures: [
      measure('2885-2', 'Protein [Mass/volume] in Serum or Plasma', gramsPerDecilitre, 6, 8.3, 1),
      measure('1751-7', 'Albumin [Mass/volume] in Serum or Plasma', gramsPerDecilitre, 3.5, 5, 1),
      measure('1975-2', 'Bilirubin.total [Mass/volume] in Serum or Plasma', perDecilitre, 0.1, 1.2, 2),
      measure('6768-6', 'Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma', units, 44, 147, 0),
      measure('1742-6', 'Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma', units, 7, 56, 0),
      measure('1920-8', 'Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma', units, 10, 40, 0),
    ],
  },
  glycated: {
    code: concept(loinc, '4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood'),
    measures: [measure('4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', percent, 4, 6.4, 1)],
  },
  thyroid: {
    code: concept(loinc, '3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma'),
    measures: [
      measure('3016-3', 'Thyrotropin [Units/volume] in Serum or Plasma', unit('mIU/L', 'm[IU]/L'), 0.4, 4.5, 3),
    ],
  },
  coagulation: {
    code: concept(loinc, '6301-6', 'INR in Platelet poor plasma by Coagulation assay'),
    measures: [measure('6301-6', 'INR in Platelet poor plasma by Coagulation assay', unit('{INR}'), 0.9, 3, 2)],
  },
  urine: {
    code: concept(loinc, '24357-6', 'Urinalysis macro (dipstick) panel - Urine'),
    measures: [
      measure('5811-5', 'Specific gravity of Urine by Test strip', unit('{nominal}'), 1.005, 1.03, 3),
      measure('5803-2', 'pH of Urine by Test strip', unit('pH', '[pH]'), 5, 8, 1),
      measure('5792-7', 'Glucose [Mass/volume] in Urine by Test strip', perDecilitre, 0, 15, 1),
    ],
  },
} satisfies Readonly<Record<string, Panel>>

/** Panels any visit may order. */
export const routinePanels: readonly Panel[] = [
  panels.metabolic,
  panels.bloodCount,
  panels.lipid,
  panels.liver,
  panels.urine,
]

/** A huge count in scientific notation, as some analysers send it: a legal JSON number. */
export const colonyCount = {
  code: concept(loinc, '564-5', 'Colony count [#/volume] in Specimen by Visual count'),
  value: new Raw('{"value":1.0e5,"unit":"{CFU}/mL","system":"http://unitsofmeasure.org","code":"{CFU}/mL"}'),
}
