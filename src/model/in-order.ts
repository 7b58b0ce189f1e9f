/**
 * Runs an operation for every item, several at once. An item is taken when there is room for it.
 *
 * @param atOnce How many operations run at most.
 * @returns The results, in the order of the items.
 * @throws what an operation throws in its turn, after all running operations have ended.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  run: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = run(item);
      result.catch(() => {}); // reported in its turn
      running.push(result);
      if (running.length >= atOnce) yield await (running.shift() as Promise<R>);
    }
    for (let next = running.shift(); next; next = running.shift()) yield await next;
  } finally {
    await Promise.allSettled(running);
  }
}
