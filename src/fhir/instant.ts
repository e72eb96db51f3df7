const instantPattern =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(\.\d+)?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))$/

/** R4 has the years 0001 to 9999; a zone must not lead out of them. */
const instantMsMin = Date.parse('0001-01-01T00:00:00Z')
const instantMsMax = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * Reads an R4 `instant` (a zone is mandatory, the day must exist) as milliseconds since 1970.
 * A finer fraction is cut, never rounded up: `_since` may then repeat a record but cannot miss one.
 */
export function parseInstant(text: string): number | undefined {
  const match = instantPattern.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction, zone] = match
  const milliseconds = Number((fraction ?? '.0').slice(1, 4).padEnd(3, '0'))
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCDate() !== Number(day)) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second), milliseconds)
  const ms = date.getTime() - zoneOffsetMs(zone!)
  return ms >= instantMsMin && ms <= instantMsMax ? ms : undefined
}

function zoneOffsetMs(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone[0] === '-' ? -minutes : minutes) * 60_000
}

/** Renders milliseconds since 1970 as an R4 `instant` in UTC. */
export const formatInstant = (ms: number): string => new Date(ms).toISOString()
