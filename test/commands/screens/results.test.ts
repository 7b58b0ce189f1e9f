import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { onScreen, onTerminals, type Screen } from '../../support/screen.ts';
import { imageFor } from '../copy/places.ts';
import { type Held, holdLayers, repo, sizes } from './held.ts';

/** A line on a terminal beside a registry that holds layers back, once its bars are shown. */
async function whileHeld(
  t: TestContext,
  lineFor: (from: string, to: string) => string,
): Promise<Held & { readonly screen: Screen; readonly to: string }> {
  const held = await holdLayers(t);
  const { host: to } = await startServe(t);
  const screen = await onScreen(t, lineFor(`${held.host}/${repo}`, `${to}/${repo}`), { columns: 80 });
  await screen.waitFor(/layers {2}[━─]/);
  return { ...held, screen, to };
}

/** The lines of a screen at the end, with neither digests nor figures. */
function outline(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^[0-9a-f]{12}: /, 'LAYER: ')
        .replace(/sha256:[0-9a-f]{64}/, 'DIGEST')
        .replace(/127\.0\.0\.1:\d+/g, 'HOST')
        .replace(/ \S+ in .*$/, ' …'),
    )
    .filter((line, at, all) => line !== all[at - 1]);
}

const copied = ['LAYER: Copied', 'HOST/team/app:1', 'Copied …', 'exit 0'];
const pulled = (result: readonly string[], summaries: number): readonly string[] => [
  ...Array.from({ length: Math.min(1, summaries) }, () => 'Pulled …'),
  ...result,
];

describe('results and progress on one screen', onTerminals, () => {
  it('copy: layers, then the result, then the summary', async (t) => {
    const { registry, screen } = await whileHeld(t, (from, to) => `run copy ${from}:1 ${to}:1`);
    registry.release();
    assert.deepEqual(outline(await screen.waitFor(/^exit /m)), copied);
  });

  it('copy --all-tags: results as they come, and no line of a layer that several may have', async (t) => {
    const { registry, screen } = await whileHeld(t, (from, to) => `run copy -a ${from} ${to}`);
    registry.release();
    assert.deepEqual(outline(await screen.waitFor(/^exit /m)), ['HOST/team/app:1', 'Copied …', 'exit 0']);
  });

  it('push --json: layers, then the document', async (t) => {
    const { registry, host, screen } = await whileHeld(t, (from, to) => {
      return `run pull ${from}:1 && run tag ${from}:1 ${to}:1 && clear && run push --json ${to}:1`;
    });
    registry.release();
    const text = await screen.waitFor(/^exit /m);
    assert.match(text, /^\{"reference":"127\.0\.0\.1:\d+\/team\/app:1"/m, host);
    assert.doesNotMatch(text.slice(text.indexOf('{"reference"')), /^[0-9a-f]{12}: /m);
  });

  it('several references into a pipe that ends there: no bar is left, and the results are last', async (t) => {
    const { registry, screen } = await whileHeld(t, (from) => `run pull ${from}:1 ${from}:1 ${from}:1 | tee log`);
    registry.release();
    const one = [
      ...['1: Pulling from team/app', 'LAYER: Pull complete', 'Digest: DIGEST'],
      ...['Status: Downloaded newer image for HOST/team/app:1', 'HOST/team/app:1'],
    ];
    const again = [
      ...['1: Pulling from team/app', 'Digest: DIGEST', 'Status: Image is up to date for HOST/team/app:1'],
      'HOST/team/app:1',
    ];
    const text = await screen.waitFor(/^exit /m);
    assert.deepEqual(outline(text), [...pulled([...one, ...again, ...again], 3), 'exit 0']);
    assert.equal(text.match(/: Pull complete/g)?.length, sizes.length);
  });

  it('into a pipe: what is known by then is written when the terminal is closed', async (t) => {
    const { registry, host } = await holdLayers(t);
    await pushImage(registry, repo, parseTag('small'), await imageFor('amd64'));
    const words = `pull ${host}/${repo}:small ${host}/${repo}:1`;
    const screen = await onScreen(t, `sh -c "echo \\$\\$ > pid; exec $OCICTL ${words}" | cat > log`, { columns: 80 });
    await screen.waitFor(/^1\/2 images/m);
    const { home } = await sandbox(t);
    process.kill(Number(await readFile(join(home, 'pid'), 'utf8')), 'SIGHUP');
    await screen.waitFor(/^exit /m);
    const log = await readFile(join(home, 'log'), 'utf8');
    assert.match(log, /^small: Pulling from /);
    assert.match(log, new RegExp(`^${host}/${repo}:small\n$`, 'm'));
  });

  it('copy --all-tags into such a pipe likewise', async (t) => {
    const { registry, screen } = await whileHeld(t, (from, to) => `run copy -a ${from} ${to} | tee log`);
    registry.release();
    assert.deepEqual(outline(await screen.waitFor(/^exit /m)), ['Copied …', 'HOST/team/app:1', 'exit 0']);
  });
});

describe('results elsewhere', onTerminals, () => {
  it('on another terminal: they are alone there, and the layers stay here', async (t) => {
    const other = await onScreen(t, ':', { columns: 100 });
    const tty = await other.ask('#{pane_tty}');
    const { registry, screen } = await whileHeld(t, (from) => `run pull ${from}:1 > ${tty}`);
    // Written at once, while the bars go on here.
    await other.waitFor(/Pulling from/, { after: true });
    registry.release();
    assert.deepEqual(outline(await screen.waitFor(/^exit /m)), ['LAYER: Pull complete', 'Pulled …', 'exit 0']);
    const there = outline(await other.waitFor(/Status: .*\n.*:1$/m, { after: true }));
    assert.deepEqual(there.slice(1), [
      ...['1: Pulling from team/app', 'LAYER: Pull complete', 'Digest: DIGEST'],
      ...['Status: Downloaded newer image for HOST/team/app:1', 'HOST/team/app:1'],
    ]);
  });

  it('on the terminal under its other name: as on one screen', async (t) => {
    const { registry, screen } = await whileHeld(t, (from, to) => `run copy ${from}:1 ${to}:1 > /dev/tty`);
    registry.release();
    assert.deepEqual(outline(await screen.waitFor(/^exit /m)), copied);
  });

  it('in a file, or nowhere since stdout is closed: layers stay here', async (t) => {
    for (const end of ['> out', '>&-']) {
      const { registry, screen } = await whileHeld(t, (from, to) => `run copy ${from}:1 ${to}:1 ${end}`);
      registry.release();
      assert.deepEqual(outline(await screen.waitFor(/^exit /m)), ['LAYER: Copied', 'Copied …', 'exit 0']);
      if (end === '>&-') continue;
      const { home } = await sandbox(t);
      assert.match(await readFile(join(home, 'out'), 'utf8'), /^127\.0\.0\.1:\d+\/team\/app:1\n$/);
    }
  });

  it('with progress in a file, or stderr closed: the results alone are here', async (t) => {
    const held = await holdLayers(t);
    held.registry.release();
    const { host } = await startServe(t);
    for (const end of ['2> log', '2>&-']) {
      const screen = await onScreen(t, `run copy ${held.host}/${repo}:1 ${host}/${repo}:1 ${end}`, { columns: 80 });
      assert.deepEqual(outline(await screen.waitFor(/^exit /m)), ['HOST/team/app:1', 'exit 0']);
    }
  });
});
