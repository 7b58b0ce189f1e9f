import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Lets V8 keep the compiled code of our chunks between runs, where Node can (22.8 and later). The directory is the
 * user's own: Node's default lies in a temp directory that anybody on the machine may write to.
 */
export function enableCompileCache(env: NodeJS.ProcessEnv): void {
  const enable = (module as { enableCompileCache?: (directory: string) => unknown }).enableCompileCache;
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  enable?.(join(base, 'ocictl', 'compile-cache'));
}
