const names: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: '',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

/** A line of the log as people read it: the time, what happened, and its fields. */
export function readableLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const told = Object.entries(fields).map(([name, value]) => `${name}=${readable(value)}`)
  const words = [clockOf(String(time)), names[Number(level)] ?? '', String(msg ?? ''), ...told]
  return `${words.filter((word) => word !== '').join(' ')}\n`
}

/** Of an instant the time of the day on this machine. */
function clockOf(time: string): string {
  const at = new Date(time)
  const digits = (value: number, count = 2) => String(value).padStart(count, '0')
  return `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`
}

/** Quoted where it is not one plain word, so that a terminal is never told what to do. */
const readable = (value: unknown): string =>
  typeof value === 'string' && /^[\w./:@$+-]+$/.test(value) ? value : JSON.stringify(value)
