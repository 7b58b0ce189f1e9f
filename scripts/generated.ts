/** Every file of the repository that is made from the command data. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCommands } from '../src/commands/command-line/all-commands.ts';
import { bashCompletion } from '../src/commands/completion/bash.ts';
import { completableOf } from '../src/commands/completion/completable.ts';
import { fishCompletion } from '../src/commands/completion/fish.ts';
import { zshCompletion } from '../src/commands/completion/zsh.ts';
import { version } from '../src/version.ts';
import { commandPage, pageName, programPage } from './man.ts';
import { commandReference } from './reference.ts';

/** The folders that hold nothing else. */
export const generatedFolders = ['completions', 'man'] as const;

/** Pages of a version that no release has dated yet bear this date. */
const undated = '2026-11-01';

/** What the files should hold, by their path below the project's root. */
export async function generatedFiles(root: string): Promise<ReadonlyMap<string, string>> {
  const commands = await loadCommands();
  const completable = completableOf(commands);
  const options = { version, date: releaseDate(await readFile(join(root, 'CHANGELOG.md'), 'utf8')) };
  return new Map([
    ['completions/ocictl.bash', bashCompletion(completable)],
    ['completions/_ocictl', zshCompletion(completable)],
    ['completions/ocictl.fish', fishCompletion(completable)],
    ['docs/commands.md', commandReference(commands)],
    ['man/ocictl.1', programPage(commands, options)],
    ...commands.map((command) => [`man/${pageName(command)}.1`, commandPage(command, commands, options)] as const),
  ]);
}

/** The date of the newest release: of the first heading like `## 1.2.3 (2026-11-01)`. */
export function releaseDate(changelog: string): string {
  return /^## \S+ \((\d{4}-\d{2}-\d{2})\)$/m.exec(changelog)?.[1] ?? undated;
}
