import { setImmediate } from 'node:timers/promises';

/** Reads of local files take no turn of the event loop, in which alone signals and timers come. */
const itemsPerTurn = 256;

/** Works on items, several at once. After a failure no more are begun; it is thrown when those under way have ended. */
export async function atOnce<T>(
  items: Iterable<T> | AsyncIterable<T>,
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let begun = 0;
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= count) await Promise.race(running);
      begun += 1;
      if (begun % itemsPerTurn === 0) await setImmediate();
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failures.length > 0) throw failures[0];
}
