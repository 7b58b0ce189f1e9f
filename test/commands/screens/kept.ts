/** Screens that are kept as files, without what differs from run to run. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../support/project.ts';
import type { Screen } from '../../support/screen.ts';

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

/** Screens of one run, each beside the one that is kept under its title. */
export interface KeptScreens {
  /**
   * Waits until the screen matches, and then until it is the one that is kept: a frame is written in pieces, and what is looked
   * at between two of them is neither the one before nor the one after.
   *
   * @param read What is looked at. Default: the text.
   */
  see(
    title: string,
    screen: Screen,
    pattern: Parameters<Screen['waitFor']>[0],
    read?: () => Promise<string>,
  ): Promise<void>;
  /** Compares all that was seen; with OCICTL_UPDATE_SCREENS=1 it is kept instead. */
  compare(): Promise<void>;
}

/** When a screen that differs from the one that is kept is taken for another: nothing is waited for but its last bytes. */
const settlingMilliseconds = 60_000;

/** @param opts.stalls Whether it is about silence, which elsewhere is a matter of speed. */
export async function keptScreens(name: string, { stalls = false } = {}): Promise<KeptScreens> {
  const file = join(projectRoot, 'test', 'commands', 'screens', 'kept', `${name}.txt`);
  const update = process.env['OCICTL_UPDATE_SCREENS'] === '1';
  const kept = update ? '' : await readFile(file, 'utf8');
  const moving = name.startsWith('copy') ? 'Copying' : 'Downloading';
  const section = (title: string, shown: string): string => `=== ${title}\n${masked(shown, moving, stalls)}\n`;
  let text = '';
  return {
    async see(title, screen, pattern, read = screen.text) {
      await screen.waitFor(pattern);
      const end = Date.now() + (update ? 1000 : settlingMilliseconds);
      let seen = section(title, await read());
      while (!kept.startsWith(text + seen) && Date.now() < end) {
        await sleep(50);
        seen = section(title, await read());
      }
      text += seen;
    },
    async compare() {
      if (update) await writeFile(file, text);
      else assert.equal(text, kept);
    },
  };
}
