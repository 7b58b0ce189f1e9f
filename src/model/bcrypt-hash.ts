/** bcrypt's hashes of passwords, as `htpasswd -B` writes them. */

/** Of a higher cost, one comparison takes many seconds, and twice as long with each step. */
export const maxBcryptCost = 14;

const hash = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/** The cost of a hash: the power of two of its rounds. Undefined for what is no hash. */
export function bcryptCost(text: string): number | undefined {
  const cost = hash.exec(text)?.[1];
  return cost === undefined ? undefined : Number(cost);
}
