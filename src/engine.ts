/** What the command line, and never the library, tells the JavaScript engine. */
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

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
