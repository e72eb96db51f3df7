/** The longest `_typeFilter`, in characters, all its repeats together: room for some 5,000 codes. */
export const typeFilterCharsMax = 100_000

/** Parameters of one query. */
export const criteriaMax = 100

/** Alternatives of one parameter that is not a token; tokens are looked up, so their number does not matter. */
export const comparedValuesMax = 1_000
