import { NotSearchable } from './not-searchable.ts'

/** One part of a path after its resource type. */
export type Part =
  | { readonly name: string }
  | { readonly ofType: string }
  | { readonly where: string; readonly is: string }
  | { readonly refersTo: string }

/**
 * The branches of a FHIRPath search expression, each cut into parts. Only the forms that search parameters use are known:
 * paths, `ofType`, `as`, `where(a='b')`, `where(resolve() is T)`, grouping and `|`. Anything else throws.
 */
export function branches(expression: string): Part[][] {
  return cut(ungrouped(expression), '|').map((branch) => cut(branch.trim(), '.').map(part))
}

/** The expression without the parentheses that only group. */
function ungrouped(expression: string): string {
  const kept: boolean[] = []
  let text = ''
  for (const [index, char] of [...expression].entries()) {
    if (char === '(') {
      kept.push(/\w/.test(expression[index - 1] ?? ''))
      if (kept.at(-1)) text += char
    } else if (char === ')') {
      if (kept.pop()) text += char
    } else text += char
  }
  return text.replace(/([\w.]+) as (\w+)/g, '$1.ofType($2)')
}

/** Cuts at a separator that stands outside parentheses and quotes. */
function cut(text: string, separator: string): string[] {
  const pieces = ['']
  let depth = 0
  let quoted = false
  for (const char of text) {
    if (char === "'") quoted = !quoted
    if (char === '(') depth++
    if (char === ')') depth--
    if (char === separator && depth === 0 && !quoted) pieces.push('')
    else pieces[pieces.length - 1] += char
  }
  return pieces
}

function part(text: string): Part {
  const type = /^(?:ofType|as)\((\w+)\)$/.exec(text)
  if (type) return { ofType: type[1]! }
  const target = /^where\(resolve\(\) is (\w+)\)$/.exec(text)
  if (target) return { refersTo: target[1]! }
  const condition = /^where\((\w+) ?= ?'([^']+)'\)$/.exec(text)
  if (condition) return { where: condition[1]!, is: condition[2]! }
  if (/^\w+$/.test(text)) return { name: text }
  throw new NotSearchable(`\`${text}\` is no path`)
}
