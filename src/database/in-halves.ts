/** Fewer keys are asked about at once: that costs less than a second question. */
const halvedKeysMin = 1_000

/**
 * Asks about the halves of a list side by side, where somebody waits for the answer and one core would do all the work.
 * @returns the answers in the order of the list
 */
export async function inHalves<Key, Row>(
  keys: readonly Key[],
  ask: (half: readonly Key[]) => Promise<readonly Row[]>,
): Promise<Row[]> {
  if (keys.length < halvedKeysMin) return [...(await ask(keys))]
  const middle = keys.length >> 1
  return (await Promise.all([ask(keys.slice(0, middle)), ask(keys.slice(middle))])).flat()
}
