import { concept, fixed, icd10, rxnorm, snomed } from './datatypes.ts'
import type { Raw } from './json.ts'
import { type Panel, panels } from './resources/panel.ts'

/* The illnesses of the population with their treatment: facts of coding, with shares that make a plausible whole. */

export interface Medication {
  readonly code: Raw
  /** How it is taken, in words, how often a day, and how much each time (`0.50` and `1` are both meant). */
  readonly sig: string
  readonly timesDaily: number
  readonly dose: string
  readonly doseUnit: string
}

export interface Diagnosis {
  readonly code: Raw
  readonly fromAgeYears: number
  /** Share of the patients of that age who have it. */
  readonly share: number
  readonly medications: readonly Medication[]
  readonly panel?: Panel
}

const diagnosisCode = (snomedCode: string, display: string, icdCode: string, icdDisplay: string): Raw =>
  fixed({
    coding: [
      { system: snomed, code: snomedCode, display, userSelected: true },
      { system: icd10, code: icdCode, display: icdDisplay },
    ],
    text: display,
  })

function medication(code: string, display: string, timesDaily = 1, dose = '1', doseUnit = 'tablet'): Medication {
  const often = ['', 'once', 'twice', 'three times', 'four times'][timesDaily] ?? ''
  return {
    code: concept(rxnorm, code, display),
    sig: `Take ${dose} ${doseUnit} ${often} daily`,
    timesDaily,
    dose,
    doseUnit,
  }
}

const lisinopril = medication('314076', 'lisinopril 10 MG Oral Tablet')
const amlodipine = medication('197361', 'amlodipine 5 MG Oral Tablet', 1, '0.50')
const hydrochlorothiazide = medication('310798', 'hydrochlorothiazide 25 MG Oral Tablet', 1, '0.5')
const metformin = medication('860975', '24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet', 2)
const simvastatin = medication('314231', 'simvastatin 10 MG Oral Tablet')
const albuterol = medication('745679', '200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler', 4, '2', 'puff')
const fluticasone = medication(
  '895994',
  '120 ACTUAT fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler',
  2,
  '2',
  'puff',
)
const warfarin = medication('855332', 'warfarin sodium 5 MG Oral Tablet', 1, '1.50')
const clopidogrel = medication('309362', 'clopidogrel 75 MG Oral Tablet')
const acetaminophen = medication('313782', 'acetaminophen 325 MG Oral Tablet', 4, '2')
const ibuprofen = medication('310965', 'ibuprofen 200 MG Oral Tablet', 3, '2')
const naproxen = medication('849574', 'naproxen sodium 220 MG Oral Tablet', 2)
const amoxicillin = medication('308182', 'amoxicillin 250 MG Oral Capsule', 3, '1', 'capsule')
const amoxicillinClavulanate = medication('562251', 'amoxicillin 250 MG / clavulanate 125 MG Oral Tablet', 3)
const alendronate = medication('904419', 'alendronic acid 10 MG Oral Tablet')
const levothyroxine = medication('966222', 'levothyroxine sodium 0.075 MG Oral Tablet')
const omeprazole = medication('198051', 'omeprazole 20 MG Delayed Release Oral Capsule', 1, '1', 'capsule')
const sertraline = medication('312941', 'sertraline 50 MG Oral Tablet')

export const chronicDiagnoses: readonly Diagnosis[] = [
  {
    code: diagnosisCode('59621000', 'Essential hypertension (disorder)', 'I10', 'Essential (primary) hypertension'),
    ...{
      fromAgeYears: 30,
      share: 0.42,
      medications: [lisinopril, amlodipine, hydrochlorothiazide],
      panel: panels.metabolic,
    },
  },
  {
    code: diagnosisCode('55822004', 'Hyperlipidemia (disorder)', 'E78.5', 'Hyperlipidemia, unspecified'),
    ...{ fromAgeYears: 30, share: 0.35, medications: [simvastatin], panel: panels.lipid },
  },
  {
    code: diagnosisCode(
      '44054006',
      'Diabetes mellitus type 2 (disorder)',
      'E11.9',
      'Type 2 diabetes mellitus without complications',
    ),
    ...{ fromAgeYears: 35, share: 0.16, medications: [metformin], panel: panels.glycated },
  },
  {
    code: diagnosisCode('15777000', 'Prediabetes (finding)', 'R73.03', 'Prediabetes'),
    ...{ fromAgeYears: 30, share: 0.2, medications: [], panel: panels.glycated },
  },
  {
    code: diagnosisCode('414916001', 'Obesity (disorder)', 'E66.9', 'Obesity, unspecified'),
    ...{ fromAgeYears: 12, share: 0.3, medications: [] },
  },
  {
    code: diagnosisCode('195967001', 'Asthma (disorder)', 'J45.909', 'Unspecified asthma, uncomplicated'),
    ...{ fromAgeYears: 4, share: 0.11, medications: [albuterol, fluticasone] },
  },
  {
    code: diagnosisCode(
      '13645005',
      'Chronic obstructive lung disease (disorder)',
      'J44.9',
      'Chronic obstructive pulmonary disease, unspecified',
    ),
    ...{ fromAgeYears: 55, share: 0.12, medications: [albuterol, fluticasone], panel: panels.bloodCount },
  },
  {
    code: diagnosisCode('49436004', 'Atrial fibrillation (disorder)', 'I48.91', 'Unspecified atrial fibrillation'),
    ...{ fromAgeYears: 60, share: 0.13, medications: [warfarin], panel: panels.coagulation },
  },
  {
    code: diagnosisCode(
      '53741008',
      'Coronary arteriosclerosis (disorder)',
      'I25.10',
      'Atherosclerotic heart disease of native coronary artery without angina pectoris',
    ),
    ...{ fromAgeYears: 55, share: 0.15, medications: [clopidogrel, simvastatin], panel: panels.lipid },
  },
  {
    code: diagnosisCode('40930008', 'Hypothyroidism (disorder)', 'E03.9', 'Hypothyroidism, unspecified'),
    ...{ fromAgeYears: 25, share: 0.08, medications: [levothyroxine], panel: panels.thyroid },
  },
  {
    code: diagnosisCode(
      '235595009',
      'Gastroesophageal reflux disease (disorder)',
      'K21.9',
      'Gastro-esophageal reflux disease without esophagitis',
    ),
    ...{ fromAgeYears: 18, share: 0.18, medications: [omeprazole] },
  },
  {
    code: diagnosisCode(
      '239873007',
      'Osteoarthritis of knee (disorder)',
      'M17.9',
      'Osteoarthritis of knee, unspecified',
    ),
    ...{ fromAgeYears: 50, share: 0.22, medications: [naproxen, acetaminophen] },
  },
  {
    code: diagnosisCode(
      '64859006',
      'Osteoporosis (disorder)',
      'M81.0',
      'Age-related osteoporosis without current pathological fracture',
    ),
    ...{ fromAgeYears: 60, share: 0.18, medications: [alendronate] },
  },
  {
    code: diagnosisCode('35489007', 'Depressive disorder (disorder)', 'F32.A', 'Depression, unspecified'),
    ...{ fromAgeYears: 15, share: 0.14, medications: [sertraline] },
  },
  {
    code: diagnosisCode('197480006', 'Anxiety disorder (disorder)', 'F41.9', 'Anxiety disorder, unspecified'),
    ...{ fromAgeYears: 12, share: 0.15, medications: [sertraline] },
  },
  {
    code: diagnosisCode('271737000', 'Anemia (disorder)', 'D64.9', 'Anemia, unspecified'),
    ...{ fromAgeYears: 1, share: 0.1, medications: [], panel: panels.bloodCount },
  },
  {
    code: diagnosisCode(
      '37796009',
      'Migraine (disorder)',
      'G43.909',
      'Migraine, unspecified, not intractable, without status migrainosus',
    ),
    ...{ fromAgeYears: 12, share: 0.12, medications: [ibuprofen] },
  },
]

const acute = (code: Raw, ...medications: readonly Medication[]): Diagnosis => ({
  code,
  fromAgeYears: 0,
  share: 1,
  medications,
})

export const acuteDiagnoses: readonly Diagnosis[] = [
  acute(diagnosisCode('444814009', 'Viral sinusitis (disorder)', 'J01.90', 'Acute sinusitis, unspecified'), ibuprofen),
  acute(diagnosisCode('195662009', 'Acute viral pharyngitis (disorder)', 'J02.9', 'Acute pharyngitis, unspecified')),
  acute(diagnosisCode('10509002', 'Acute bronchitis (disorder)', 'J20.9', 'Acute bronchitis, unspecified'), albuterol),
  acute(
    diagnosisCode('43878008', 'Streptococcal sore throat (disorder)', 'J02.0', 'Streptococcal pharyngitis'),
    amoxicillin,
  ),
  acute(
    diagnosisCode('65363002', 'Otitis media (disorder)', 'H66.90', 'Otitis media, unspecified, unspecified ear'),
    amoxicillin,
  ),
  acute(
    diagnosisCode('233604007', 'Pneumonia (disorder)', 'J18.9', 'Pneumonia, unspecified organism'),
    amoxicillinClavulanate,
  ),
  acute(
    diagnosisCode(
      '301011002',
      'Escherichia coli urinary tract infection (disorder)',
      'N39.0',
      'Urinary tract infection, site not specified',
    ),
    amoxicillin,
  ),
  acute(
    diagnosisCode(
      '44465007',
      'Sprain of ankle (disorder)',
      'S93.409A',
      'Sprain of unspecified ligament of unspecified ankle, initial encounter',
    ),
    naproxen,
  ),
  acute(
    diagnosisCode(
      '62106007',
      'Concussion with no loss of consciousness (disorder)',
      'S06.0X0A',
      'Concussion without loss of consciousness, initial encounter',
    ),
    acetaminophen,
  ),
  acute(
    diagnosisCode(
      '283371005',
      'Laceration of forearm (disorder)',
      'S51.819A',
      'Laceration without foreign body of unspecified forearm, initial encounter',
    ),
    acetaminophen,
  ),
  acute(
    diagnosisCode(
      '840539006',
      'Disease caused by severe acute respiratory syndrome coronavirus 2 (disorder)',
      'U07.1',
      'COVID-19',
    ),
  ),
]

/** Concerns of daily life at any age. */
export const concernsOfAll: readonly Raw[] = [
  concept(snomed, '73595000', 'Stress (finding)'),
  concept(snomed, '423315002', 'Limited social contact (finding)'),
  concept(snomed, '422650009', 'Social isolation (finding)'),
]

export const concernsOfAdults: readonly Raw[] = [
  ...concernsOfAll,
  concept(snomed, '160903007', 'Full-time employment (finding)'),
  concept(snomed, '160904001', 'Part-time employment (finding)'),
  concept(snomed, '741062008', 'Not in labor force (finding)'),
  concept(snomed, '224299000', 'Received higher education (finding)'),
]
