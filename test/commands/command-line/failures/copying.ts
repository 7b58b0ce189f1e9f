import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ocictl } from '../../../support/command.ts';
import { pushImage } from '../../../support/images.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { app, imageFor, one, type Place, startPlace } from '../../copy/places.ts';
import type { Tries } from './tries.ts';

export const copying: Tries = {
  '`copy --check` finds that something is missing at the destination': [
    {
      async run(t) {
        const [from, to] = await filled(t);
        to.proxy.fail({ method: 'HEAD', path: /\/blobs\/sha256:/, status: 404 });
        return ocictl(t, ['copy', '--check', ...names(from, to)]);
      },
      error: /the copy lacks blob sha256:/,
      hint: /copy it again/,
    },
  ],
  '`copy --apply` of a plan that no longer holds: the source or a tag has moved, or the plan is of another version': [
    {
      async run(t) {
        const [from] = await planned(t);
        await pushImage(from.registry, app, one, await imageFor('arm64', ['newer']));
        return ocictl(t, ['copy', '--apply', 'plan.json']);
      },
      error: /team\/app:1 is sha256:\w+ now, and sha256:\w+ in the plan/,
      hint: /make the plan again/,
    },
    {
      async run(t) {
        const [, to] = await planned(t);
        await pushImage(to.registry, app, one, await imageFor('arm64', ['another']));
        return ocictl(t, ['copy', '--apply', 'plan.json']);
      },
      error: /the tag 1 of \S+ is sha256:\w+ now, and was not there/,
      hint: /make the plan again/,
    },
    {
      async run(t) {
        await planned(t);
        const file = join((await sandbox(t)).home, 'plan.json');
        await writeFile(file, (await readFile(file, 'utf8')).replace('"ocictlPlan": 1', '"ocictlPlan": 2'));
        return ocictl(t, ['copy', '--apply', 'plan.json']);
      },
      error: /is of another version/,
      hint: /make the plan again/,
    },
  ],
};

async function filled(t: TestContext): Promise<[Place, Place]> {
  const [from, to] = [await startPlace(t), await startPlace(t)];
  await pushImage(from.registry, app, one, await imageFor('amd64'));
  return [from, to];
}

async function planned(t: TestContext): Promise<[Place, Place]> {
  const [from, to] = await filled(t);
  await ocictl(t, ['copy', '--plan', 'plan.json', ...names(from, to)]);
  return [from, to];
}

function names(from: Place, to: Place): [string, string] {
  return [`${from.host}/team/app:1`, `${to.host}/team/app:1`];
}
