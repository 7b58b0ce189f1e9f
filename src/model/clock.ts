/** Milliseconds of a monotonic clock. `process.hrtime`, because `performance` loads a Node module, which takes 2 ms. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
