/** Where the command line keeps the code that V8 compiled of it. */
import { join } from 'node:path';
import { environment } from '../config/environment.ts';
import { cacheDirectory } from '../config/paths.ts';

/**
 * @param hash Of the scripts.
 * @returns undefined if nothing is to be kept: there is no place for it, or Node is told to measure or to compile anew.
 */
export function codeDirectory(env: NodeJS.ProcessEnv, hash: string): string | undefined {
  if (env['NODE_DISABLE_COMPILE_CACHE'] || env['NODE_V8_COVERAGE']) return undefined;
  const cache = cacheDirectory(environment({ env }));
  // V8 takes code only under the flags that it was compiled under. What Node loads first is none of them.
  const options = [...process.execArgv, env['NODE_OPTIONS'] ?? ''].join(' ');
  const flags = options.replace(/(?:^|\s)(?:-r|--require|--import|--env-file)[\s=]+\S+/g, '').trim();
  const name = [hash, process.version, process.arch, ...(flags === '' ? [] : [sumOf(flags)])].join('-');
  return cache && join(cache, 'code', name);
}

/** Tells lists of flags apart. One that happens to fit costs a compilation, since V8 looks at its flags itself. */
function sumOf(text: string): string {
  let sum = 5381;
  for (const character of text) sum = (Math.imul(sum, 33) ^ character.charCodeAt(0)) >>> 0;
  return sum.toString(16);
}
