/** A flag of a suite has a value that it cannot take: printed as one line, exit code 2. */
export class UsageError extends Error {}
