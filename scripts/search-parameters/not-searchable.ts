/** Why an official parameter cannot be compiled, as a clause. */
export class NotSearchable extends Error {}
