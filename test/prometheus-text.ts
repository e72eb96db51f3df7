/** One line of a page of metrics. */
export interface PageSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All lines of one metric. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly PageSample[]
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const labelText = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/**
 * Reads a page in Prometheus' text format 0.0.4 as strictly as `promtool check metrics` does: names, labels, one family after the other, no
 * sample twice, and histograms whose buckets add up.
 * @throws what is wrong with it
 */
export function parsePage(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the page does not end with a line feed')
  const families = new Map<string, Family & { samples: PageSample[] }>()
  const seen = new Set<string>()
  let current: (Family & { samples: PageSample[] }) | undefined
  let help = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, told, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (told === 'HELP') {
      help = rest
      if (families.has(name)) throw new Error(`${name} comes twice`)
    } else if (told === 'TYPE') {
      current = { name, help, type: rest, samples: [] }
      families.set(name, current)
    } else {
      const sample = readSample(line)
      if (current === undefined || baseOf(sample.name, current) !== current.name)
        throw new Error(`${line} stands under ${current?.name}`)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(key)) throw new Error(`${line} comes twice`)
      seen.add(key)
      current.samples.push(sample)
    }
  }
  for (const family of families.values()) check(family)
  return families
}

function readSample(line: string): PageSample {
  const [, name, inner = '', value] = sampleLine.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`${line} is no sample`)
  const labels: Record<string, string> = {}
  labelText.lastIndex = 0
  while (labelText.lastIndex < inner.length) {
    const [, label, text] = labelText.exec(inner) ?? []
    if (label === undefined || text === undefined) throw new Error(`${line}: its labels cannot be read`)
    if (label in labels) throw new Error(`${line}: ${label} comes twice`)
    labels[label] = text
  }
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)
  if (Number.isNaN(number)) throw new Error(`${line}: its value is no number`)
  return { name, labels, value: number }
}

const baseOf = (name: string, { type }: Family): string =>
  type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name

function check({ name, type, help, samples }: Family): void {
  if (help === '') throw new Error(`${name} has no help`)
  if (!['counter', 'gauge', 'histogram'].includes(type)) throw new Error(`${name} is of the type ${type}`)
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`${name} is a counter and does not say so`)
  if (type !== 'gauge' && samples.some(({ value }) => value < 0)) throw new Error(`${name} is below 0`)
  if (type === 'histogram') checkBuckets(name, samples)
}

function checkBuckets(name: string, samples: readonly PageSample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...others } }) =>
    JSON.stringify(Object.entries(others).sort()),
  )
  for (const [labels, ofOne] of series) {
    const buckets = ofOne.filter((sample) => sample.name === `${name}_bucket`)
    const count = ofOne.find((sample) => sample.name === `${name}_count`)?.value
    const ends = buckets.map(({ labels: { le } }) => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)))
    const rises = buckets.every(
      ({ value }, at) => at === 0 || (ends[at]! > ends[at - 1]! && value >= buckets[at - 1]!.value),
    )
    if (!rises || ends.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)!.value !== count)
      throw new Error(`the buckets of ${name}${labels} do not add up`)
  }
}

/** The sum of the samples of a metric that have these labels; undefined when there is none. */
export function sumOf(
  page: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = page.get(name) ?? page.get(name.replace(/_(bucket|sum|count)$/, ''))
  const found = family?.samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )
  return found?.length ? found.reduce((sum, { value }) => sum + value, 0) : undefined
}
