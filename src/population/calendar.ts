export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
export const yearMs = 365.25 * dayMs

/** The population knows no clock: this is the day on which all its records end. */
export const populationEnd = Date.UTC(2026, 5, 30)
/** No visit is earlier. */
export const populationStart = Date.UTC(2014, 0, 1)
/** `_since` of the operation's example request: records changed before and after it must exist. */
export const exampleSince = Date.UTC(2021, 2, 18, 19, 19, 42)

/** A FHIR instant in UTC with milliseconds. */
export const instant = (ms: number): string => new Date(ms).toISOString()

/** A FHIR date. */
export const date = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** A FHIR dateTime in seconds at a whole-hour offset from UTC (0 gives `Z`). */
export function dateTime(ms: number, offsetHours: number): string {
  const local = new Date(ms + offsetHours * hourMs).toISOString().slice(0, 19)
  return offsetHours === 0 ? `${local}Z` : `${local}${zone(offsetHours)}`
}

/** A FHIR instant in milliseconds at a whole-hour offset from UTC. */
export function localInstant(ms: number, offsetHours: number): string {
  if (offsetHours === 0) return instant(ms)
  return `${new Date(ms + offsetHours * hourMs).toISOString().slice(0, 23)}${zone(offsetHours)}`
}

function zone(offsetHours: number): string {
  return `${offsetHours < 0 ? '-' : '+'}${String(Math.abs(offsetHours)).padStart(2, '0')}:00`
}
