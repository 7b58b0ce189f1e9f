/** How long the tests of this tier run: by default, as long as a release requires. */
export const raceSeconds = given('OCICTL_SOAK_SECONDS', 100);
export const kills = given('OCICTL_SOAK_KILLS', 100);
/** Blobs of the store that is collected at once. With more than the usual number only memory has a bound. */
export const storedBlobs = given('OCICTL_SOAK_BLOBS', 100_000);
/** Of the pairs of operations that meet in a bucket, the number of the first one that is tried: from 0. */
export const firstPair = given('OCICTL_SOAK_FIRST_PAIR', 0, /^\d+$/);
export const uploadedParts = given('OCICTL_SOAK_PARTS', 1_100);
export const allTagsRuns = given('OCICTL_SOAK_COPIES', 20);

function given(name: string, usual: number, grammar = /^[1-9]\d*$/): number {
  const text = process.env[name] ?? '';
  if (text === '') return usual;
  if (!grammar.test(text)) throw new Error(`${name} is not a whole number: ${text}`);
  return Number(text);
}

/** One of several, all with the same probability. */
export function oneOf<T>(choices: readonly T[]): T {
  const choice = choices[Math.floor(Math.random() * choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}
