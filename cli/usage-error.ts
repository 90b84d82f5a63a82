/** The person asked for something that cannot be done as asked. One line says what to change; the exit code is 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
