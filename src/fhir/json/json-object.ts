/** A parsed JSON object, such as a resource, of which nothing else is known. */
export type JsonObject = { readonly [name: string]: unknown }

/** Whether a parsed value is an object, and no list. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
