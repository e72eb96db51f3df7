import { Presets, SingleBar } from 'cli-progress'
import type { ExportEvent, Report } from '../../client/report.ts'
import { plainText } from '../../client/session/outcome.ts'
import { formatBytes, formatCount } from './export-summary.ts'

/** Shows an export while it runs. */
export interface Display {
  readonly report: Report
  /** Leaves the terminal as it was. */
  readonly close: () => void
}

/** Bars on a terminal, else one line for each thing worth a line. */
export const openDisplay = (stream: NodeJS.WriteStream, interactive: boolean): Display =>
  interactive ? barDisplay(stream) : lineDisplay(stream)

function lineDisplay(stream: NodeJS.WriteStream): Display {
  const totals = newTotals()
  let lastProgress = ''
  let lastTenth = 0
  return {
    report(event) {
      count(totals, event)
      if (event.kind === 'running') {
        const progress = event.progress ?? 'in progress'
        if (progress !== lastProgress) stream.write(`server: ${progress}\n`)
        lastProgress = progress
        return
      }
      const text = remark(event)
      if (text !== undefined) stream.write(`${text}\n`)
      const tenth = Math.floor((10 * totals.done) / Math.max(totals.files, 1))
      if (event.kind === 'file' && tenth > lastTenth) {
        lastTenth = tenth
        stream.write(`downloaded ${totals.done} of ${totals.files} files, ${amounts(totals)}\n`)
      }
    },
    close() {},
  }
}

function barDisplay(stream: NodeJS.WriteStream): Display {
  const totals = newTotals()
  let bar: SingleBar | undefined
  let begunMs = 0

  function start(format: string, total: number): SingleBar {
    bar?.stop()
    bar = new SingleBar({ stream, format, hideCursor: true, gracefulExit: false, barsize: 30 }, Presets.shades_classic)
    bar.start(total, 0, { text: '' })
    begunMs = Date.now()
    return bar
  }

  /** Writes a line above the bar, which draws itself again below. */
  function say(text: string): void {
    stream.write(`\r\u001b[K${text}\n`)
  }

  return {
    report(event) {
      count(totals, event)
      const text = remark(event)
      if (text !== undefined && event.kind !== 'manifest') say(text)
      if (event.kind === 'job') start('Export   {bar} {text}', 100)
      if (event.kind === 'running') bar?.update(event.percent ?? 0, { text: event.progress ?? 'in progress' })
      if (event.kind === 'manifest') {
        bar?.update(100, { text: '' })
        start('Download {bar} {value}/{total} files {text}', event.files)
      }
      if (event.kind === 'received' || event.kind === 'file') {
        const rate = totals.bytes / Math.max((Date.now() - begunMs) / 1000, 0.1)
        bar?.update(totals.done, { text: `${amounts(totals)}, ${formatBytes(rate)}/s` })
      }
    },
    close() {
      bar?.stop()
    },
  }
}

interface Totals {
  files: number
  done: number
  records: number
  bytes: number
}

const newTotals = (): Totals => ({ files: 0, done: 0, records: 0, bytes: 0 })

function count(totals: Totals, event: ExportEvent): void {
  if (event.kind === 'manifest') totals.files = event.files
  if (event.kind === 'received') totals.bytes += event.bytes
  if (event.kind !== 'file') return
  totals.done++
  totals.records += event.file.count
}

const amounts = ({ records, bytes }: Totals): string =>
  `${formatCount(records)} records, ${formatBytes(bytes)} received`

/** The line that an event is worth on its own. */
function remark(event: ExportEvent): string | undefined {
  switch (event.kind) {
    case 'job':
      return `${event.resumed ? 'continuing' : 'started'} ${plainText(event.statusUrl)}`
    case 'retry':
      return `${event.what}: ${plainText(event.reason)}; next try in ${Math.ceil(event.waitMs / 1000)} s`
    case 'manifest':
      return `the export is ready: ${formatCount(event.files)} files as of ${event.transactionTime}`
    case 'warning':
      return `warning: ${plainText(event.text)}`
    case 'deleted':
      return 'deleted the export on the server'
    default:
      return undefined
  }
}
