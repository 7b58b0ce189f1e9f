/** Milliseconds of a clock that never goes back. To ask `performance` for it loads a module of Node's for 2 ms. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
