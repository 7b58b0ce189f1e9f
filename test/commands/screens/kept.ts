/** Screens that are kept as files, without what differs from run to run. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../support/project.ts';

/** Without what no two runs have alike: ports, rates and times. The lines of a summary are joined: they depend on these. */
function masked(text: string): string {
  return text
    .replace(/^(?:Pulled|Pushed|Copied) .*(?:\n {2}.*)+/gm, (summary) => summary.replaceAll('\n ', ''))
    .split('\n')
    .map((line) =>
      line
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
        .replace(/^\S (Pulling|Copying|Pushing) /, '* $1 ')
        .replace(/Stalled \S+ */, 'Downloading ')
        .replace(/^Total( \d+m)? \d+s +/, 'Total         ')
        .replace(/(\d[kMG]?B\/[\d.]+[kMG]?B) .*$/, '$1')
        .replace(/ in [\d.ms ]+ \([\d.]+[kM]?B\/s\)/, ' in TIME (RATE)')
        .trimEnd(),
    )
    .join('\n');
}

/** Compares screens with those that are kept; with OCICTL_UPDATE_SCREENS=1 it keeps them. */
export async function compare(
  name: string,
  screens: readonly (readonly [title: string, text: string])[],
): Promise<void> {
  const file = join(projectRoot, 'test', 'commands', 'screens', 'kept', `${name}.txt`);
  const text = screens.map(([title, shown]) => `=== ${title}\n${masked(shown)}\n`).join('');
  if (process.env['OCICTL_UPDATE_SCREENS'] === '1') await writeFile(file, text);
  assert.equal(text, await readFile(file, 'utf8'));
}
