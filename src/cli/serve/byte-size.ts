import { InvalidArgumentError } from 'commander'

const powers = { '': 0, K: 1, M: 2, G: 3, T: 4 } as const

/** Nobody has a disk from which more must stay free. */
const byteSizeMax = 1024 ** 5

/**
 * Reads a size such as `512M`: bytes, or with K, M, G or T as many times 1024 of them.
 * @throws InvalidArgumentError
 */
export function parseByteSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,16})([KMGT]?)$/i.exec(text) ?? []
  const bytes = Number(number) * 1024 ** powers[unit.toUpperCase() as keyof typeof powers]
  if (bytes <= byteSizeMax) return bytes
  throw new InvalidArgumentError('A size is a number of bytes, with K, M, G or T behind it for more: 512M. 0 is none.')
}
