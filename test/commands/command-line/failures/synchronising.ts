import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ocictl } from '../../../support/command.ts';
import type { RunResult } from '../../../support/process.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { startFilled, type Tries } from './tries.ts';

export const synchronising: Tries = {
  '`sync` with a rule that chooses no tag, or a pattern that no repository matches': [
    {
      run: (t) => sync(t, "to: oci:dir\nsources: [{from: '@/team/app', tags: 'x*'}]"),
      error: /mirror\.yaml:2:\d+: no tag of .*\/team\/app matches x\*/,
      hint: /ocictl tags/,
    },
    {
      run: (t) => sync(t, "to: oci:dir\nsources: [{from: '@/none/*'}]"),
      error: /mirror\.yaml:2:\d+: no repository matches .*\/none\/\*/,
      hint: /ocictl repos/,
    },
  ],
  '`sync` with names that would overwrite each other': [
    {
      run: (t) =>
        sync(t, 'to: [oci:dir, oci:dir]\nsources: [{from: @/team/app}, {from: @/team/app, platforms: linux/amd64}]'),
      error: /would be both .*:1 \(line 2\) and .*:1 \(line 2\)/,
      hint: /let the names differ/,
    },
  ],
  '`sync --keep-going`, and a part failed': [
    {
      run: (t) => sync(t, 'to: oci:dir\nsources: [{from: @/team/app}, {from: @/team/none}]', '--keep-going'),
      error: /not everything could be synchronised: .*\/team\/none/,
      hint: /the reason for each is above/,
    },
  ],
};

async function sync(t: TestContext, text: string, ...flags: string[]): Promise<RunResult> {
  const { host } = await startFilled(t);
  await writeFile(join((await sandbox(t)).home, 'mirror.yaml'), text.replaceAll('@', host));
  return ocictl(t, ['sync', 'mirror.yaml', ...flags]);
}
