import pg from 'pg'
import { formatInstant } from '../fhir/instant.ts'

/** SQL literals: a COPY takes no parameters. */

export const text = (value: string): string => pg.escapeLiteral(value)
/** @param ms milliseconds since 1970 */
export const instant = (ms: number): string => `'${formatInstant(ms)}'::timestamptz`
export const textArray = (values: readonly string[]): string => `array[${values.map(text).join(',')}]::text[]`
