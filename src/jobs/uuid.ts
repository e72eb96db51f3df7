const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a path segment can be the id of a job or a file, so that nothing else reaches the database. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)
