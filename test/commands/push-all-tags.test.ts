import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { keepImage } from '../support/local-store.ts';
import { app, imageFor, startPlace } from './copy/places.ts';

interface Outcome {
  readonly reference: string;
  readonly layers: readonly { readonly outcome: string }[];
}

describe('ocictl push --all-tags', () => {
  it('tells of each tag in order, and counts a shared layer once', async (t) => {
    const { host, proxy } = await startPlace(t);
    const tags = ['1', '2', '3', '4'];
    for (const tag of tags) await keepImage(t, `${host}/team/app:${tag}`, await imageFor('amd64', ['shared', tag]));
    proxy.fail({ path: /manifests\/1$/, method: 'PUT', delayMs: 100 });
    const { exitCode, stdout } = await ocictl(t, ['push', '-a', '--json', `${host}/team/app`]);
    assert.equal(exitCode, 0);
    const outcomes = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Outcome);
    assert.deepEqual(
      outcomes.map(({ reference }) => reference),
      tags.map((tag) => `${host}/team/app:${tag}`),
    );
    const sent = outcomes.flatMap(({ layers }) => layers.filter(({ outcome }) => outcome === 'transferred'));
    assert.equal(sent.length, tags.length + 1);
    const puts = proxy.requests.flatMap(({ method, path }) =>
      method === 'PUT' ? (/manifests\/(\d)$/.exec(path)?.[1] ?? []) : [],
    );
    assert.equal(puts.length, tags.length);
  });

  it('pushes the other tags, and names the tag that failed', async (t) => {
    const { host, proxy, registry } = await startPlace(t);
    for (const tag of ['1', '2', '3']) await keepImage(t, `${host}/team/app:${tag}`, await imageFor('amd64', [tag]));
    proxy.fail({ path: /manifests\/2$/, method: 'PUT', status: 413, body: '{"errors":[{"code":"SIZE_INVALID"}]}' });
    const { exitCode, stderr } = await ocictl(t, ['push', '-q', '-a', `${host}/team/app`]);
    assert.equal(exitCode, 8, stderr);
    assert.match(stderr, /^\S+\/team\/app:2: /m);
    assert.match(stderr, /1 of 3 tags could not be pushed: 2/);
    for (const tag of ['1', '3']) await registry.statManifest(app, parseTag(tag));
  });

  it('pushes every tag', async (t) => {
    const { host, registry } = await startPlace(t);
    for (const [tag, layer] of [
      ['1', 'a'],
      ['2', 'b'],
    ] as const) {
      await keepImage(t, `${host}/team/app:${tag}`, await imageFor('amd64', [layer]));
    }
    const { exitCode, stdout } = await ocictl(t, ['push', '-a', `${host}/team/app`]);
    assert.equal(exitCode, 0);
    const shape = stdout.replaceAll(/\b[0-9a-f]{12}\b/g, 'ID').replaceAll(/sha256:[0-9a-f]{64} size: \d+/g, 'DIGEST');
    const lines = shape.trimEnd().split('\n');
    assert.equal(lines[0], `The push refers to repository [${host}/team/app]`);
    assert.equal(lines.filter((line) => line === 'ID: Pushed').length, 2);
    assert.deepEqual(
      lines.filter((line) => line.includes('DIGEST')),
      ['1: digest: DIGEST', '2: digest: DIGEST'],
    );
    assert.equal((await ocictl(t, ['push', '-a', '-q', `${host}/team/app`])).stdout, `${host}/team/app\n`);
    for (const tag of ['1', '2']) await registry.statManifest(app, parseTag(tag));
  });
});
