import { type Digest, isDigestAlgorithm, tryParseDigest } from '../model/digest.ts';
import type { Driver, Entry, PageOptions, StorePath } from './driver.ts';
import { refuseHiding } from './hidden.ts';
import { childPath } from './paths.ts';

/** The entries below a prefix. Pages are fetched as the caller needs them. */
export async function* entriesIn(
  driver: Driver,
  prefix: StorePath,
  opts?: Omit<PageOptions, 'limit'>,
): AsyncGenerator<Entry> {
  for (let after = opts?.after; ; ) {
    const { entries, next } = await driver.list(prefix, { ...opts, after });
    yield* entries;
    if (next === undefined) return;
    after = next;
  }
}

/** Whether there is anything below a prefix. */
export async function isAnyBelow(driver: Driver, prefix: StorePath): Promise<boolean> {
  return (await driver.list(prefix, { limit: 1 })).entries.length > 0;
}

/** How many objects a driver deletes at once. */
const deletedTogether = 1_000;

/** Deletes every object below a prefix. */
export async function deleteBelow(driver: Driver, prefix: StorePath): Promise<void> {
  let some: StorePath[] = [];
  for await (const entry of entriesIn(driver, prefix, { deep: true })) {
    some.push(childPath(prefix, entry));
    if (some.length < deletedTogether) continue;
    await deleteAll(driver, some);
    some = [];
  }
  await deleteAll(driver, some);
}

/** Deletes these objects, at most 1000. @returns How many were there, as far as the driver tells. */
export async function deleteAll(driver: Driver, paths: readonly StorePath[]): Promise<number> {
  if (driver.deleteMany !== undefined && paths.length > 1) {
    await driver.deleteMany(paths);
    return paths.length;
  }
  let count = 0;
  for (const path of paths) if (await driver.delete(path)) count += 1;
  return count;
}

/**
 * The digests that have a prefix `<alg>/<hex>/` below this one, sorted. Names that are not digests are skipped.
 *
 * @throws OciError STORAGE_DAMAGED for a symbolic link or a file in place of one: what it hides would count as absent.
 * @param after Only digests after this text.
 */
export async function* digestsIn(driver: Driver, prefix: StorePath, after = ''): AsyncGenerator<Digest> {
  for await (const algorithm of entriesIn(driver, prefix)) {
    if (!isDigestAlgorithm(algorithm.name)) continue;
    await refuseHiding(driver, prefix, algorithm);
    if (algorithm.kind !== 'prefix') continue;
    const before = `${algorithm.name}:`;
    const from = after.startsWith(before) ? after.slice(before.length) : undefined;
    for await (const hex of entriesIn(driver, childPath(prefix, algorithm), { after: from })) {
      const digest = tryParseDigest(before + hex.name);
      if (digest !== undefined) await refuseHiding(driver, childPath(prefix, algorithm), hex);
      if (digest !== undefined && hex.kind === 'prefix' && digest > after) yield digest;
    }
  }
}
