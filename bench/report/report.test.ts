import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from '../catalogue.ts'
import { chartsOf } from './charts.ts'
import { figuresText, replaceFigures } from './docs.ts'
import { resultWith } from './result.fixture.ts'
import { element } from './svg.ts'
import { printResult } from './table.ts'

function printed(result: ReturnType<typeof resultWith>): string {
  const written: string[] = []
  printResult({ write: (text) => written.push(text) }, result)
  return written.join('')
}

test('the table has every figure with its bar, and ratios where there are any', () => {
  const text = printed(resultWith({ 'cold-100': 61_000, small: 501, 'floor-cp': 2_000 }))
  for (const { label } of Object.values(catalogue)) assert.ok(text.includes(label), label)
  assert.match(text, /cold \(no packs\), 100 % of the patients +61,000 records\/s +≥ 60,000 records\/s +yes +30\.5×/)
  assert.match(text, /3 patients, kick-off to manifest +501 ms +≤ 500 ms +no\n/)
})

test('figures are put between the marks of a page, again and again, and nothing else changes', () => {
  const result = resultWith()
  const charts = chartsOf(result)
  const begin = '<!-- figures: written by npm run bench -- --write-docs -->'
  const page = `before\n${begin}\noutdated\n<!-- end of figures -->\nafter\n`
  const once = replaceFigures(page, figuresText(result, charts))
  assert.match(
    once,
    /^before\n<!-- figures.*!\[.*\]\(performance\/throughput\.svg\).*\| warm.*<!-- end of figures -->\nafter\n$/s,
  )
  assert.ok(!once.includes('outdated'))
  assert.equal(replaceFigures(once, figuresText(result, charts)), once)
  assert.throws(() => replaceFigures('without marks', ''), /must stand in/)
})

test('charts are drawn from finite numbers, inside their frame', () => {
  for (const value of [0.4, 1, 99_999, 10_000_000]) {
    const result = resultWith({ 'warm-100': value, 'floor-cp': value * 3, 'stored-1': value })
    const charts = chartsOf(result)
    assert.deepEqual(
      charts.map(({ name }) => name),
      ['throughput.svg', 'cost.svg'],
    )
    for (const { svg } of charts) {
      assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!.map(Number)
      for (const [, name, text] of svg.matchAll(/ (x|x1|x2|cx|y|y1|y2|cy|width)="(-?[\d.]+)"/g)) {
        const end = name!.includes('y') ? height! : width!
        assert.ok(Number(text) >= 0 && Number(text) <= end, `${name}="${text}"`)
      }
    }
  }
})

test('a chart without its figures is left out', () => {
  const result = resultWith()
  const figures = result.figures.filter(({ name }) => !name.startsWith('stored-'))
  assert.deepEqual(
    chartsOf({ ...result, figures }).map(({ name }) => name),
    ['throughput.svg'],
  )
})

test('text cannot end an attribute or an element', () => {
  assert.equal(element('a', { b: '"<&>' }), '<a b="&quot;&lt;&amp;&gt;"></a>')
})
