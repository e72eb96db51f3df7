import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Book } from './book.ts'
import { barRecordsMin } from './catalogue.ts'
import { figuresOf } from './figure.ts'

function bookOf(samples: Partial<Record<Parameters<Book['add']>[0], readonly number[]>>): Book {
  const book = new Book()
  for (const [name, values] of Object.entries(samples)) {
    for (const value of values) book.add(name as Parameters<Book['add']>[0], value)
  }
  return book
}

test('a figure is the median of its samples, or the percentile that the catalogue names', () => {
  const [small, tail] = figuresOf(bookOf({ small: [3, 1, 2], 'small-p99': [3, 1, 2] }), 1)
  assert.deepEqual([small?.value, tail?.value], [2, 3])
})

test('a bar is reached at its value, in both directions, and judged from the size on that it is meant for', () => {
  const reached = (name: 'small' | 'cold-100', value: number, records = barRecordsMin) =>
    figuresOf(bookOf({ [name]: [value] }), records)[0]?.reached
  assert.deepEqual([reached('small', 500), reached('small', 501)], [true, false])
  assert.deepEqual([reached('cold-100', 60_000), reached('cold-100', 59_999)], [true, false])
  assert.equal(reached('small', 500, barRecordsMin - 1), null)
})

test('rates of whole records are held against the floors that were measured', () => {
  const figures = figuresOf(bookOf({ 'cold-100': [50], 'rare-100': [50], 'floor-cp': [100] }), 1)
  assert.deepEqual(
    figures.map(({ name, toFloors }) => [name, toFloors]),
    [
      ['cold-100', { 'floor-cp': 0.5 }],
      ['rare-100', {}],
      ['floor-cp', {}],
    ],
  )
})

test('a ratio is there when both of its figures are', () => {
  const named = (samples: Parameters<typeof bookOf>[0]) =>
    figuresOf(bookOf(samples), 1).map(({ name, value }) => [name, value])
  assert.deepEqual(named({ 'stored-100': [6, 8, 9], 'stored-1': [2, 3, 4, 5] }), [
    ['stored-1', 3.5],
    ['stored-100', 8],
    ['stored-growth', 8 / 3.5],
  ])
  assert.deepEqual(named({ 'stored-1': [4] }), [['stored-1', 4]])
})

test('what is no measurement is refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
    assert.throws(() => bookOf({ small: [value] }), /cannot be/)
  }
})
