/** What test/support/global-setup.ts has left in the environment. */
export function fromSetup(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: test/support/global-setup.ts sets it.`);
  return value;
}
