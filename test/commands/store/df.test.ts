import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';

const image = (...names: string[]) =>
  buildImage({ layers: names.map((name) => ({ files: { [name]: name.repeat(2_000) } })) });

describe('ocictl df', () => {
  it('counts what images share once, and what a prune would free', async (t) => {
    const [old, first, second] = [await image('old'), await image('base', 'a'), await image('base', 'b')];
    await keepImage(t, 'app:1', old);
    await keepImage(t, 'app:1', first);
    await keepImage(t, 'app:latest', first);
    await keepImage(t, 'other:1', second);
    const { images, unused, unfinished, total, each } = JSON.parse((await ocictl(t, ['df', '--json'])).stdout);
    const base = first.layers[0]?.descriptor.size;
    assert.equal(images.count, 3);
    assert.equal(images.sharedBytes, base);
    assert.deepEqual([unused.bytes, unfinished.bytes], [0, 0]);
    assert.equal(total.bytes, images.bytes);
    const ofFirst = each.filter(({ digest }: { readonly digest: string }) => digest === first.descriptor.digest);
    assert.deepEqual(
      ofFirst.map(({ tag }: { readonly tag: string }) => tag),
      ['1', 'latest'],
    );
    for (const { sizeBytes, uniqueBytes, sharedBytes } of ofFirst) {
      assert.equal(sharedBytes, base, 'another name of the same image shares nothing');
      assert.equal(sizeBytes, uniqueBytes + sharedBytes);
    }
    const freed = JSON.parse((await ocictl(t, ['prune', '--json'])).stdout);
    assert.equal(total.reclaimableBytes, freed.freedBytes);
    assert.ok(freed.freedBytes > 0);
    assert.equal(JSON.parse((await ocictl(t, ['df', '--json'])).stdout).total.reclaimableBytes, 0);
  });

  it('is a table as docker prints it, with -v one of images, or a template', async (t) => {
    await keepImage(t, 'app:1', await image('a'));
    const { stdout } = await ocictl(t, ['df']);
    assert.match(stdout, /^TYPE +TOTAL +SIZE +SHARED +RECLAIMABLE *\nImages +1 +[\d.]+k?B +0B +0B \(0%\) *\n/);
    assert.match(stdout, /^Total +[\d.]+k?B +0B \(0%\) *$/m);
    const each = await ocictl(t, ['df', '-v']);
    assert.match(each.stdout, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE *\napp +1 /);
    const rows = await ocictl(t, ['df', '--format', '{{.Type}}={{.TotalCount}}']);
    assert.equal(rows.stdout, 'Images=1\nUnused blobs=0\nUnfinished transfers=0\nTotal=\n');
    assert.equal((await ocictl(t, ['df', '--format', '{{.Nope}}'])).exitCode, 2);
  });

  it('works for an empty store', async (t) => {
    const { exitCode, stdout } = await ocictl(t, ['df', '--json']);
    assert.equal(exitCode, 0);
    assert.equal(JSON.parse(stdout).total.bytes, 0);
  });
});
