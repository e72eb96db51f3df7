import {
  type Attributes,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { formatTraceparent, parseTraceparent } from './traceparent.ts'

/** The tracer of the SDK that the operator has loaded. */
export const tracer = (): Tracer => trace.getTracer('millrace')

/** Whether an SDK is loaded. Without one nothing is wrapped, and nothing is made that would be thrown away. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider()
  if (!('getDelegateTracer' in provider)) return true
  return (provider as { getDelegateTracer: (name: string) => Tracer | undefined }).getDelegateTracer('') !== undefined
}

/** Where the present work stands in its trace, as `traceparent` has it. */
export function presentTraceparent(): string | undefined {
  const present = trace.getActiveSpan()?.spanContext()
  return present && formatTraceparent(present)
}

/** Does work that belongs to a trace that began elsewhere. */
export function inTrace<T>(traceparent: string | undefined, work: () => T): T {
  const parent = parseTraceparent(traceparent)
  return parent ? context.with(trace.setSpanContext(ROOT_CONTEXT, parent), work) : work()
}

/**
 * Does work in a trace of its own. The span is given to `work`, that it may tell more of it; when `work` throws, it says so. Nothing of a
 * record, tenant or client is in it.
 */
export async function inOwnTrace<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = tracer().startSpan(name, { kind: SpanKind.INTERNAL, root: true, attributes })
  return context.with(trace.setSpan(ROOT_CONTEXT, span), async () => {
    try {
      return await work(span)
    } catch (error) {
      markFailed(span, error)
      throw error
    } finally {
      span.end()
    }
  })
}

/** Links a span to the request that its job came with. */
export function linkTo(span: Span, traceparent: string | null | undefined): void {
  const found = parseTraceparent(traceparent)
  if (found) span.addLink({ context: found })
}

/** An error's kind, not its text: that may quote what was asked. */
export function markFailed(span: Span, error: unknown): void {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  span.setAttribute('error.type', String(code ?? name ?? 'error'))
  span.setStatus({ code: SpanStatusCode.ERROR })
}
