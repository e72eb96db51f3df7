import { Presets, SingleBar } from 'cli-progress'

/** Shows how far a long command is. */
export interface ProgressBar {
  /** @param note short text behind the bar */
  readonly update: (value: number, note: string) => void
  readonly stop: () => void
}

const silent: ProgressBar = { update: () => {}, stop: () => {} }

/** A bar on standard error when it is a terminal, nothing otherwise or when `quiet`. */
export function progressBar(title: string, total: number, quiet: boolean): ProgressBar {
  if (quiet || !process.stderr.isTTY) return silent
  const format = `${title} {bar} {percentage}% {note}`
  const bar = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  )
  bar.start(total, 0, { note: '' })
  return { update: (value, note) => bar.update(value, { note }), stop: () => bar.stop() }
}
