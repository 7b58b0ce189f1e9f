/** What the command line, and never the library, tells the JavaScript engine. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Before anything large is loaded. */
export function tuneEngine(env: NodeJS.ProcessEnv): void {
  // Compiled code is kept between runs, where Node can (22.8 and later), in a directory of the user's own: Node's
  // default lies in a temp directory that anybody on the machine may write to.
  const { enableCompileCache: enable } = process.getBuiltinModule('node:module') as {
    readonly enableCompileCache?: (directory: string) => unknown;
  };
  enable?.(join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ocictl', 'compile-cache'));
}

/** Before undici is loaded. */
export async function prepareForTraffic(): Promise<void> {
  if (prepared) return;
  prepared = true;
  const { setFlagsFromString } = await import('node:v8');
  // undici's HTTP parser is WebAssembly: optimising it takes 30 MB and longer than most commands run, for a parser that
  // passes over bodies without looking at them.
  setFlagsFromString('--liftoff-only');
  await freeBuffersEarly();
}

let prepared = false;
const checkIntervalMs = 10;
const buffersLimitBytes = 24 * 1024 * 1024;

/**
 * Frees the buffers of finished reads early. Node makes one of 64 KiB for every read of a socket, and V8 does not count
 * them when it decides whether its own small heap wants a collection: a pull would let 100 MB of them lie about.
 */
async function freeBuffersEarly(): Promise<void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import('node:v8'), import('node:vm')]);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  setInterval(() => {
    if (process.memoryUsage().arrayBuffers > buffersLimitBytes) collect({ type: 'minor' });
  }, checkIntervalMs).unref();
}
