/** What the command line, and never the library, tells the JavaScript engine. */
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Before anything large is loaded. */
export function tuneEngine(env: NodeJS.ProcessEnv): void {
  // undici's HTTP parser is WebAssembly: optimising it takes 30 MB and longer than most commands run, for a parser that
  // passes over bodies without looking at them.
  setFlagsFromString('--liftoff-only');
  // Compiled code is kept between runs, where Node can (22.8 and later), in a directory of the user's own: Node's
  // default lies in a temp directory that anybody on the machine may write to.
  const enable = (module as { enableCompileCache?: (directory: string) => unknown }).enableCompileCache;
  enable?.(join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ocictl', 'compile-cache'));
}

let collecting = false;
const checkIntervalMs = 10;
const buffersLimitBytes = 24 * 1024 * 1024;

/**
 * Frees the buffers of finished reads early. Node makes one of 64 KiB for every read of a socket, and V8 does not count
 * them when it decides whether its own small heap wants a collection: a pull would let 100 MB of them lie about.
 */
export function freeBuffersEarly(): void {
  if (collecting) return;
  collecting = true;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  setInterval(() => {
    if (process.memoryUsage().arrayBuffers > buffersLimitBytes) collect({ type: 'minor' });
  }, checkIntervalMs).unref();
}
