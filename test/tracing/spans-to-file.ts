// What an operator loads with --import to have traces: here its exporter writes a line for each span.
import { appendFileSync } from 'node:fs'
import { NodeTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-node'

/** A span as it is read again. */
export interface WrittenSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | undefined
  readonly links: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly status: number
}

const file = process.env.SPANS_FILE
if (file !== undefined) {
  const exporter: SpanExporter = {
    export: (spans, done) => {
      for (const { name, kind, attributes, status, links, parentSpanContext, spanContext } of spans.map((span) => ({
        ...span,
        spanContext: span.spanContext(),
      }))) {
        const { traceId, spanId } = spanContext
        const written: WrittenSpan = {
          ...{ name, kind, traceId, spanId, attributes, status: status.code },
          parent: parentSpanContext?.spanId,
          links: links.map(({ context }) => `${context.traceId} ${context.spanId}`),
        }
        appendFileSync(file, `${JSON.stringify(written)}\n`)
      }
      done({ code: 0 })
    },
    shutdown: async () => {},
  }
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
}
