/** The entry of the installed package: it finds the rest of the command line in scripts beside it. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { undiciPreparation } from '../app/engine.ts';
import { KeptCode } from '../packaging/kept-code.ts';
import { ScriptLoader } from '../packaging/script-loader.ts';
import type { Surroundings } from './cli.ts';
import { codeDirectory } from './code-directory.ts';
import { main as mainWith } from './main.ts';

/** The build says which script is the command line, and has a hash of all of them. */
declare const scripts: { readonly cli: string; readonly hash: string };

let shared: ScriptLoader | undefined;

/** {@link mainWith}, with its way to the rest of the command line. */
export async function main(words: readonly string[], surroundings?: Surroundings): Promise<number> {
  const file = join(dirname(fileURLToPath(import.meta.url)), scripts.cli);
  const load = (loader: ScriptLoader) => loader.load(file) as typeof import('./cli.ts');
  if (surroundings) {
    shared ??= new ScriptLoader({});
    const loader = shared;
    return mainWith(words, surroundings, () => load(loader));
  }
  const directory = codeDirectory(process.env, scripts.hash);
  const loader = new ScriptLoader(
    { 'undici.cjs': undiciPreparation() },
    directory === undefined ? undefined : new KeptCode(directory),
  );
  const status = await mainWith(words, undefined, () => load(loader));
  loader.keep();
  return status;
}
