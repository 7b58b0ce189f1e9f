/** The entry of the installed package, a script: it finds the rest of the command line in scripts beside it. */
import { join } from 'node:path';
import { KeptCode } from '../packaging/kept-code.ts';
import { ScriptLoader } from '../packaging/script-loader.ts';
import type { Surroundings } from './cli.ts';
import { codeDirectory } from './code-directory.ts';
import { main as mainWith } from './main.ts';

/** The build says which script is the command line, and has a hash of all of them. */
declare const scripts: { readonly cli: string; readonly hash: string };

type CommandLine = typeof import('./cli.ts');

let shared: ScriptLoader | undefined;

/** {@link mainWith}, with its way to the rest of the command line. */
export async function main(words: readonly string[], surroundings?: Surroundings): Promise<number> {
  const file = join(__dirname, scripts.cli);
  if (surroundings) {
    shared ??= new ScriptLoader();
    const loader = shared;
    return mainWith(words, surroundings, () => loader.load(file) as CommandLine);
  }
  const directory = codeDirectory(process.env, scripts.hash);
  let commandLine: CommandLine | undefined;
  const loader = new ScriptLoader({
    kept: directory === undefined ? undefined : new KeptCode(directory),
    preparationOf: (script) => (script === 'undici.cjs' ? commandLine?.undiciPreparation() : undefined),
    useUsualFlags: () => commandLine?.useUsualFlags(),
  });
  const status = await mainWith(words, undefined, () => {
    commandLine = loader.load(file) as CommandLine;
    return commandLine;
  });
  loader.keep();
  return status;
}
