import assert from 'node:assert/strict'
import type { Answer, Exchange } from './exchange.ts'

type Methods = Readonly<Record<string, { readonly responses: Readonly<Record<string, unknown>> }>>

/** The base of a tenant, where Bundles are posted, may have a slash at its end; elsewhere it begins an id that is empty. */
const patternOf = (path: string): RegExp => {
  const pattern = path.replace(/[.$]/g, '\\$&').replace(/\{\w+\}/g, '[^/]*')
  return new RegExp(`^${pattern}${path === '/r4/{tenant}' ? '/?' : ''}$`)
}

/** What `/openapi.json` tells: whether an answer has a status that its route is said to have. */
export class OpenApiCheck {
  readonly #paths: readonly { readonly pattern: RegExp; readonly parameters: number; readonly methods: Methods }[]

  constructor({ paths }: { readonly paths: Readonly<Record<string, Methods>> }) {
    this.#paths = Object.entries(paths)
      .map(([path, methods]) => ({
        pattern: patternOf(path),
        parameters: path.split('{').length,
        methods,
      }))
      .sort((a, b) => a.parameters - b.parameters)
  }

  /** A method or a path that is not told is 404 or 405; all others answer what is told of them. */
  check({ method, url }: Exchange, { status }: Answer): void {
    if (method === 'OPTIONS') return
    const path = new URL(url).pathname.replace('%24', '$')
    const matching = this.#paths.filter(({ pattern }) => pattern.test(path))
    // What ends with a slash may be the base of a tenant, or a path with an empty id: the first of them that has the method.
    const operation = (path.endsWith('/') ? matching : matching.slice(0, 1))
      .map(({ methods }) => methods[method.toLowerCase()] ?? (method === 'HEAD' ? methods.get : undefined))
      .find((told) => told !== undefined)
    const told = operation ? Object.keys(operation.responses) : ['404', '405']
    assert.ok(told.includes(String(status)), `/openapi.json does not tell of ${status} of ${method} ${path}`)
  }
}
