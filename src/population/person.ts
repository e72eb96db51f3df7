import { dayMs, populationEnd, populationStart, yearMs } from './calendar.ts'
import { familyNames, femaleNames, maleNames, type Town } from './names.ts'
import type { Random } from './random.ts'
import type { Seat } from './seat.ts'

/** Who a patient is: what the Patient record and all others agree on. */
export interface Person {
  readonly gender: 'female' | 'male'
  readonly given: string
  readonly middle: string
  readonly family: string
  /** As other records show it. */
  readonly display: string
  readonly birth: number
  readonly died?: number
  readonly town: Town
  /** Visits happen between these two times. */
  readonly seenFrom: number
  readonly seenUntil: number
}

const ageYearsMax = 92
const mortalFromAgeYears = 55
const deathShare = 0.12

export function invent(random: Random, seat: Seat, town: Town): Person {
  const gender = random.chance(0.52) ? 'female' : 'male'
  const given = gender === 'female' ? femaleNames : maleNames
  const first = random.pick(given)
  const family = random.chance(0.1)
    ? `${random.pick(familyNames)}-${random.pick(familyNames)}`
    : random.pick(familyNames)
  const grown = seat.kind === 'page' || seat.kind === 'heavy'
  const age = grown ? 34 + random.next() * 40 : random.next() * ageYearsMax
  const birth = Math.floor((populationEnd - age * yearMs) / dayMs) * dayMs
  const dies = !grown && age > mortalFromAgeYears && random.chance(deathShare)
  const died = dies ? random.between(populationStart + 3 * yearMs, populationEnd) : undefined
  return {
    gender,
    given: first,
    middle: random.pick(given),
    family,
    display: `${first} ${family}`,
    birth,
    ...(died !== undefined && { died }),
    town,
    seenFrom: Math.max(populationStart, birth + dayMs),
    seenUntil: died ?? populationEnd,
  }
}

export const adultAgeYears = 18

/** Age in years at a time. */
export const ageAt = (person: Person, ms: number): number => (ms - person.birth) / yearMs
