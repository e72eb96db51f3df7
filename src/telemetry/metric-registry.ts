import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { Labels, Meter, Sample } from './meter.ts'
import type { Definition } from './metrics/definition.ts'
import { type CounterName, definitionOf, type HistogramName, metricNames } from './metrics/metrics-table.ts'

/** Figures that are asked for when somebody scrapes. */
export interface Source {
  /** Of `millrace_scrape_failures_total`; a source that has none cannot fail. */
  readonly name?: 'store' | 'disk'
  readonly read: () => readonly Sample[] | Promise<readonly Sample[]>
}

/** A source that has not answered by then has no sample in this scrape. Prometheus waits for ten seconds. */
export const sourceMsMax = 3_000

/**
 * The metrics of a server: what was counted since its start, and what is asked for at each scrape. A figure that cannot be had has no sample:
 * an old one would look like a good one.
 */
export class MetricRegistry implements Meter {
  readonly #registry = new Registry()
  readonly #counters = new Map<string, Counter<string>>()
  readonly #gauges = new Map<string, Gauge<string>>()
  readonly #histograms = new Map<string, Histogram<string>>()
  #sources: readonly Source[] = []
  #scraping: Promise<string> | undefined

  constructor() {
    for (const name of metricNames) this.#make(name, definitionOf(name))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  readonly count = (name: CounterName, labels: Labels = {}, amount = 1): void => {
    if (isCountable(amount)) this.#counters.get(name)!.inc(labels, amount)
  }

  readonly observe = (name: HistogramName, value: number, labels: Labels = {}): void => {
    if (isCountable(value)) this.#histograms.get(name)!.observe(labels, value)
  }

  /** From now on these are asked, and no others: a start that begins again makes new ones. */
  ask(sources: readonly Source[]): void {
    this.#sources = sources
  }

  /** The page. Those who ask at the same time get the same one. */
  scrape(): Promise<string> {
    this.#scraping ??= this.#scrape().finally(() => {
      this.#scraping = undefined
    })
    return this.#scraping
  }

  async #scrape(): Promise<string> {
    const found = await Promise.all(this.#sources.map((source) => this.#read(source)))
    for (const gauge of this.#gauges.values()) clear(gauge)
    for (const { name, value, labels = {} } of found.flat()) {
      const gauge = this.#gauges.get(name)
      if (gauge) gauge.set(labels, value)
      else this.#become(this.#counters.get(name)!, labels, value)
    }
    return this.#registry.metrics()
  }

  async #read({ name, read }: Source): Promise<readonly Sample[]> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('too late')), sourceMsMax)
    })
    try {
      return await Promise.race([read(), late])
    } catch {
      this.count('millrace_scrape_failures_total', { source: name ?? 'store' })
      return []
    } finally {
      clearTimeout(timer)
    }
  }

  /** A counter that somebody else keeps. */
  #become(counter: Counter<string>, labels: Labels, value: number): void {
    counter.remove(labels)
    counter.inc(labels, value)
  }

  #make(name: string, definition: Definition): void {
    const { kind, help, labels = {}, buckets = [] } = definition
    const options = { name, help, labelNames: Object.keys(labels), registers: [this.#registry] }
    if (kind === 'gauge') this.#gauges.set(name, new Gauge(options))
    else if (kind === 'counter') {
      const counter = new Counter(options)
      for (const combination of combinationsOf(labels)) counter.inc(combination, 0)
      this.#counters.set(name, counter)
    } else {
      const histogram = new Histogram({ ...options, buckets: [...buckets] })
      for (const combination of combinationsOf(labels)) histogram.zero(combination)
      this.#histograms.set(name, histogram)
    }
  }
}

/** Anything else would make the library throw, or spoil a sum for ever: whoever measures must not fail by it. */
const isCountable = (value: number): boolean => Number.isFinite(value) && value >= 0

/** Without labels `reset` would leave a zero, which says that something was found to be none. */
function clear(gauge: Gauge<string>): void {
  gauge.reset()
  gauge.remove({})
}

/** All combinations of labels whose values are known: what was never counted is 0, so that its first increase is seen. */
function combinationsOf(labels: NonNullable<Definition['labels']>): Labels[] {
  let combinations: Labels[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    if (typeof values === 'string') return []
    combinations = combinations.flatMap((known) => values.map((value) => ({ ...known, [label]: value })))
  }
  return combinations
}
