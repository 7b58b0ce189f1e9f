/** bcrypt password hashes, as `htpasswd -B` writes them. */

/** The highest cost that is accepted. Beyond it one comparison takes many seconds, and each step doubles the time. */
export const maxBcryptCost = 14;

const hash = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** The cost of a hash: the base-2 logarithm of its rounds. Undefined if the text is not a bcrypt hash. */
export function bcryptCost(text: string): number | undefined {
  const cost = hash.exec(text)?.[1];
  return cost === undefined ? undefined : Number(cost);
}
