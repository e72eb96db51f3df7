/** No work is put off for longer. What is to wait longer was put off before the database's clock went back, and is due. */
const putOffSecondsMax = 60

/** SQL: whether the time that a column holds has come; null is now. */
export const isDue = (column: string): string =>
  `(${column} is null or ${column} <= now() or ${column} > now() + interval '${putOffSecondsMax} seconds')`
