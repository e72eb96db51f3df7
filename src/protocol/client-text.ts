/** A client's text as it may stand in a message: bounded, and without control characters and halves of characters. */
export const readable = (text: string, charsMax: number): string =>
  `${text
    .slice(0, charsMax)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd')}${text.length > charsMax ? '…' : ''}`

const quotedCharsMax = 100

/** A client's text for a message, in quotation marks. */
export const quoted = (text: string): string => `"${readable(text, quotedCharsMax)}"`
