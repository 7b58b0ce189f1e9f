import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { seekableLayer } from '../../support/images/seekable-layer.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { tarOf } from '../../support/layer.ts';
import { app, one } from '../copy/places.ts';
import { imageAt, startChanging } from './changed.ts';

for (const format of ['estargz', 'zstd:chunked'] as const) {
  describe(`changing images with layers in ${format}`, () => {
    const layers = () =>
      Promise.all([
        seekableLayer({ 'd/': '', 'd/a': 'a'.repeat(5000), 'd/gone': 'x' }, { format }),
        seekableLayer({ 'd/b': 'below' }, { format }),
        seekableLayer({ 'd/b': 'b', 'd/.wh.gone': '' }, { format }),
      ]);

    it('keeps the tables of layers that stay, and gives a new layer none', async (t) => {
      const { registry, name } = await startChanging(t);
      const built = await layers();
      await pushImage(registry, app, one, await buildImage({ layers: built }));
      const before = built.map(({ descriptor }) => descriptor);
      const read = async (path: string) => (await ocictl(t, ['cat', `${name}:2`, path])).stdout;
      for (const [words, kept] of [
        [['append', `${name}:1`, '-f', '-'], 3],
        [['squash', `${name}:1`, '--from', '2'], 1],
        [['flatten', `${name}:1`], 0],
      ] as const) {
        const input = await tarOf({ more: 'm' });
        const changed = await ocictl(t, [...words, '-t', `${name}:2`], { input });
        assert.equal(changed.exitCode, 0, changed.stderr);
        const { view } = await imageAt(registry, changed.stdout.trim() as never);
        assert.deepEqual(view.layers.slice(0, kept), before.slice(0, kept), words[0]);
        assert.deepEqual(
          view.layers.slice(kept).map(({ annotations }) => annotations),
          [undefined],
        );
        const valid = await ocictl(t, ['validate', `${name}:2`]);
        assert.equal(valid.exitCode, 0, valid.stderr);
        assert.deepEqual([await read('d/a'), await read('d/b')], ['a'.repeat(5000), 'b']);
        const { stdout } = await ocictl(t, ['files', `${name}:2`, '-R']);
        assert.doesNotMatch(stdout, /gone/);
      }
    });

    it('keeps those of the new base in a rebase, and has none of the old one', async (t) => {
      const { registry, name, run } = await startChanging(t);
      const [base = assert.fail(), next = assert.fail(), own = assert.fail()] = await layers();
      await pushImage(registry, app, parseTag('old'), await buildImage({ layers: [base] }));
      await pushImage(registry, app, parseTag('new'), await buildImage({ layers: [next] }));
      await pushImage(registry, app, one, await buildImage({ layers: [base, own] }));
      const words = ['--old-base', `${name}:old`, '--new-base', `${name}:new`];
      const { digest } = await run('rebase', `${name}:1`, ...words, '-t', `${name}:2`);
      const { view } = await imageAt(registry, digest);
      assert.deepEqual(
        view.layers,
        [next, own].map(({ descriptor }) => descriptor),
      );
      const valid = await ocictl(t, ['validate', `${name}:2`]);
      assert.equal(valid.exitCode, 0, valid.stderr);
    });
  });
}
