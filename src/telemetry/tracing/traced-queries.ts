import { type Span, SpanKind, trace } from '@opentelemetry/api'
import { markFailed, tracer } from './tracing.ts'

/** A connection of the driver. */
interface TracedClient {
  query: unknown
  readonly database?: string | undefined
}

type Query = (...values: unknown[]) => unknown

/**
 * Makes a span of each statement of a connection that is part of traced work, under the stable names of OpenTelemetry's conventions. Its text
 * is not told: that of a COPY names patients.
 */
export function traceQueries(client: TracedClient): void {
  const query = (client.query as Query).bind(client)
  const traced: Query = (...values) => {
    if (trace.getActiveSpan() === undefined) return query(...values)
    const { operation, summary } = summaryOf(values[0])
    const attributes = {
      'db.system.name': 'postgresql',
      ...(client.database === undefined ? {} : { 'db.namespace': client.database }),
      'db.operation.name': operation,
      'db.query.summary': summary,
    }
    const span = tracer().startSpan(summary, { kind: SpanKind.CLIENT, attributes })
    return follow(span, query, values)
  }
  client.query = traced
}

/** A statement ends as its caller learns of it: by a callback, a promise, or, of a COPY, what the driver tells it. */
function follow(span: Span, query: Query, values: unknown[]): unknown {
  const [first, last] = [values[0], values.at(-1)]
  if (isCopy(first)) {
    endWith(first, 'handleReadyForQuery', () => end(span))
    endWith(first, 'handleError', (error) => end(span, error))
    return query(...values)
  }
  if (typeof last === 'function') {
    return query(...values.slice(0, -1), (error: unknown, ...found: unknown[]) => {
      end(span, error)
      last(error, ...found)
    })
  }
  const result = query(...values) as Promise<unknown>
  result.then(
    () => end(span),
    (error) => end(span, error),
  )
  return result
}

type Handlers = Record<'handleReadyForQuery' | 'handleError', (...told: unknown[]) => unknown>

const isCopy = (statement: unknown): statement is Handlers =>
  typeof statement === 'object' && statement !== null && 'submit' in statement

function endWith(copy: Handlers, name: keyof Handlers, ended: (first: unknown) => void): void {
  const handle = copy[name].bind(copy)
  copy[name] = (...told) => {
    ended(told[0])
    return handle(...told)
  }
}

function end(span: Span, error?: unknown): void {
  if (error) {
    const { code } = error as { readonly code?: unknown }
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) span.setAttribute('db.response.status_code', code)
    markFailed(span, error)
  }
  if (span.isRecording()) span.end()
}

const verb = /^\s*(?:--[^\n]*\n\s*)*(?:set local [^;]*;\s*)?([a-z]+)/i
const target = /\b(?:from|into|update|join|copy)\s+(?:only\s+)?\(?\s*(?!select\b|unnest\b|lateral\b)([a-z_][a-z_.]*)/i

/** What a statement does to which table, as far as its text says: few words, and none that a caller chooses. */
export function summaryOf(statement: unknown): { readonly operation: string; readonly summary: string } {
  const text = typeof statement === 'string' ? statement : (statement as { readonly text?: unknown } | null)?.text
  const words = typeof text === 'string' ? text : ''
  const operation = (verb.exec(words)?.[1] ?? 'query').toUpperCase()
  const table = target.exec(words)?.[1]
  return { operation, summary: table === undefined ? operation : `${operation} ${table}` }
}
