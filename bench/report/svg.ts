type Attributes = Readonly<Record<string, string | number>>

/** An element of an SVG document, as text. */
export const element = (name: string, attributes: Attributes, ...content: readonly string[]): string => {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(String(value))}"`)
  return `<${name}${words.join('')}>${content.join('')}</${name}>`
}

export const label = (text: string, x: number, y: number, attributes: Attributes = {}): string =>
  element('text', { x: round(x), y: round(y), ...attributes }, escapeText(text))

export const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string =>
  element('line', { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), ...attributes })

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Coordinates with one decimal: small files, and the same on every machine. */
export const round = (coordinate: number): number => Math.round(coordinate * 10) / 10

/** Colours on a light page, and on a dark one. Nothing is drawn behind the chart. */
const style = `
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.title { font-weight: 600; font-size: 15px }
.faint { fill: #52606d }
.grid { stroke: #d5dbe1 }
.bar { fill: #2f6db3 }
.other { fill: #8aa9cc }
.goal { stroke: #a8540a; stroke-width: 3 }
.floor { stroke: #52606d; stroke-dasharray: 4 3 }
.curve { stroke: #2f6db3; stroke-width: 2; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e7eb }
  .faint { fill: #a7b3bf }
  .grid { stroke: #3a444e }
  .bar { fill: #6ea8e8 }
  .other { fill: #4a6f99 }
  .goal { stroke: #f0a35e }
  .floor { stroke: #a7b3bf }
  .curve { stroke: #6ea8e8 }
}`

/** A whole chart. `title` and `description` are for those who cannot see it. */
export function svgDocument(
  size: { readonly width: number; readonly height: number },
  title: string,
  description: string,
  content: readonly string[],
): string {
  const { width, height } = size
  const box = { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }
  const named = [element('title', {}, escapeText(title)), element('desc', {}, escapeText(description))]
  const body = [...named, element('style', {}, style), ...content].join('\n')
  return `${element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...box }, `\n${body}\n`)}\n`
}
