/** The entry of the installed package, a script: it finds the rest of the command line in scripts beside it. */
import { join } from 'node:path';
import { KeptCode } from '../packaging/kept-code.ts';
import { ScriptLoader } from '../packaging/script-loader.ts';
import type { Surroundings } from './cli.ts';
import { codeDirectory } from './code-directory.ts';
import { main as mainWith } from './main.ts';

/** The build says which script is the command line, and has a hash of all of them. */
declare const scripts: { readonly cli: { readonly file: string; readonly part: string }; readonly hash: string };

type CommandLine = typeof import('./cli.ts');

let shared: ScriptLoader | undefined;

/** {@link mainWith}, with its way to the rest of the command line. */
export async function main(words: readonly string[], surroundings?: Surroundings): Promise<number> {
  const commandLineOf = (loader: ScriptLoader): CommandLine =>
    loader.load(join(__dirname, scripts.cli.file), scripts.cli.part) as CommandLine;
  if (surroundings) {
    shared ??= new ScriptLoader();
    const loader = shared;
    return mainWith(words, surroundings, () => commandLineOf(loader));
  }
  const directory = codeDirectory(process.env, scripts.hash);
  let commandLine: CommandLine | undefined;
  const loader = new ScriptLoader({
    kept: directory === undefined ? undefined : new KeptCode(directory),
    preparationOf: (script) => (script === 'undici.cjs' ? commandLine?.undiciPreparation() : undefined),
    useUsualFlags: () => commandLine?.useUsualFlags(),
  });
  const status = await mainWith(words, undefined, () => {
    commandLine = commandLineOf(loader);
    return commandLine;
  });
  loader.keep();
  return status;
}
