import { type Json, Raw, writeJson } from './json.ts'

/* FHIR data types as ready-written text. Constants made of them cost nothing per record. */

export const loinc = 'http://loinc.org'
export const snomed = 'http://snomed.info/sct'
export const rxnorm = 'http://www.nlm.nih.gov/research/umls/rxnorm'
export const cvx = 'http://hl7.org/fhir/sid/cvx'
export const icd10 = 'http://hl7.org/fhir/sid/icd-10-cm'
const ucum = 'http://unitsofmeasure.org'
/** The stem of the code systems that HL7 itself publishes. */
export const terminology = 'http://terminology.hl7.org/CodeSystem'
/** The stem of the extensions that FHIR itself defines. */
export const extensions = 'http://hl7.org/fhir/StructureDefinition'
export const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition'

/** JSON that is written once and used often. */
export const fixed = (value: Json): Raw => new Raw(writeJson(value))

export const coding = (system: string, code: string, display?: string): Raw => fixed({ system, code, display })

/** A CodeableConcept of one coding; the text is the display. */
export function concept(system: string, code: string, display: string): Raw {
  return fixed({ coding: [{ system, code, display }], text: display })
}

/** A CodeableConcept of one coding without text, as statuses and categories have it. */
export function status(system: string, code: string, display?: string): Raw {
  return fixed({ coding: [{ system, code, display }] })
}

/** A Reference; `target` is `Type/id`. */
export function reference(target: string, display?: string): Raw {
  const shown = display === undefined ? '' : `,"display":${JSON.stringify(display)}`
  return new Raw(`{"reference":"${target}"${shown}}`)
}

/** A decimal with a fixed number of places: trailing zeros stay, because they tell the precision. */
export const decimal = (value: number, places: number): Raw => new Raw(value.toFixed(places))

/** A unit of measure: the three members that follow a Quantity's value, as text. */
export function unit(shown: string, code: string = shown): string {
  return `"unit":${JSON.stringify(shown)},"system":"${ucum}","code":${JSON.stringify(code)}`
}

export const quantity = (value: Raw, unitMembers: string): Raw => new Raw(`{"value":${value.text},${unitMembers}}`)

/** `meta.profile` of a US Core profile. */
export const profile = (name: string): Raw => fixed([`${usCore}/us-core-${name}`])

/** The extension that stands where a value is missing. */
export const absent = (reason: string): Raw =>
  fixed({ extension: [{ url: `${extensions}/data-absent-reason`, valueCode: reason }] })
