import fc from 'fast-check'

/** Numbers from 0 up to 1 that decide how something is written. */
export const dice = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }))

/** JSON that writes characters in any way it may: raw, `\uXXXX`, `\/`, `\n`. */
export function writeJson(value: unknown, dice: () => number): string {
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item, dice)).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${writeText(name, dice)}:${writeJson(member, dice)}`)
      .join(' , ')}}`
  }
  return typeof value === 'string' ? writeText(value, dice) : JSON.stringify(value)
}

function writeText(text: string, dice: () => number): string {
  const units = Array.from({ length: text.length }, (_, index) => text[index]!)
  const coded = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  const whole = dice() < 0.6
  const written = units.map((unit) => {
    if (unit === '/' && dice() < 0.5) return '\\/'
    if (!whole && dice() < 0.2) return coded(unit)
    return unit >= '\ud800' && unit <= '\udfff' ? unit : JSON.stringify(unit).slice(1, -1)
  })
  // A surrogate without its other half cannot stand in UTF-8.
  const result = written.join('')
  return `"${result.isWellFormed() ? result : JSON.stringify(text).slice(1, -1)}"`
}
