/**
 * Repeats of a property until a time is over, for machines that are slow: what comes later is passed over. Unlike a limit of fast-check it
 * awaits what has begun, which would go on under the feet of the next test.
 */
export function within<Given extends readonly unknown[]>(
  ms: number,
  run: (...given: Given) => Promise<void>,
  isEnough: () => boolean = () => true,
): (...given: Given) => Promise<void> {
  const begun = performance.now()
  return async (...given) => {
    if (performance.now() - begun < ms || !isEnough()) await run(...given)
  }
}
