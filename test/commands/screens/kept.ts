/** Screens that are kept as files, without what differs from run to run. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../support/project.ts';

/** The beginning of a line that tells of a wait or of silence. */
const waits = /^((?:␛\[\d*m|[0-9a-f]{12}: )*(?:Waiting|Stalled)) \d+s */;

/**
 * Without what no two runs have alike: ports, rates and times. The lines of a summary are joined: they depend on these.
 *
 * @param moving What a layer does that stands still because the machine is slow.
 * @param stalls Whether it is about silence, which elsewhere is a matter of speed.
 */
function masked(text: string, moving: string, stalls: boolean): string {
  const known = text
    .replaceAll('\x1b', '␛')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/^(?:␛\[\d*m)*(?:Pulled|Pushed|Copied) .*(?:\n(?:␛\[\d*m)* {2}.*)+/gm, (summary) =>
      summary.replaceAll('\n ', ''),
    );
  return known
    .split('\n')
    .map((line) => {
      const even = stalls ? line : line.replace(/Stalled.{4}/, moving.padEnd('Downloading'.length));
      return even
        .replace(/^\S (Pulling|Copying|Pushing) .*/, '* $1 NAME')
        .replace(waits, '$1 SECONDS ')
        .replace(/^ {2}Waiting \d+s:/, '  Waiting SECONDS:')
        .replace(/^Total( \d+m)? \d+s +/, 'Total         ')
        .replace(/(\d[kMG]?B\/[\d.]+[kMG]?B) .*$/, '$1')
        .replace(/ in [\d.ms ]+ \([\d.]+[kM]?B\/s\)/, ' in TIME (RATE)')
        .replace(/ nothing in [\d.ms ]+/, ' nothing in TIME ')
        .trimEnd();
    })
    .join('\n');
}

/** Compares screens with those that are kept; with OCICTL_UPDATE_SCREENS=1 it keeps them. */
export async function compare(
  name: string,
  screens: readonly (readonly [title: string, text: string])[],
  { stalls = false } = {},
): Promise<void> {
  const file = join(projectRoot, 'test', 'commands', 'screens', 'kept', `${name}.txt`);
  const text = screens
    .map(
      ([title, shown]) =>
        `=== ${title}\n${masked(shown, name.startsWith('copy') ? 'Copying' : 'Downloading', stalls)}\n`,
    )
    .join('');
  if (process.env['OCICTL_UPDATE_SCREENS'] === '1') await writeFile(file, text);
  assert.equal(text, await readFile(file, 'utf8'));
}
