import type { FigureName } from './catalogue.ts'

/** The samples of every figure, as they come. */
export class Book {
  readonly #samples = new Map<FigureName, number[]>()

  /** Throws for what is no measurement. */
  add(name: FigureName, sample: number): void {
    if (!Number.isFinite(sample) || sample < 0) throw new Error(`${name} cannot be ${sample}`)
    const samples = this.#samples.get(name) ?? []
    samples.push(sample)
    this.#samples.set(name, samples)
  }

  samples(name: FigureName): readonly number[] {
    return this.#samples.get(name) ?? []
  }

  names(): FigureName[] {
    return [...this.#samples.keys()]
  }
}
