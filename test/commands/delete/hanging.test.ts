import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { buildArtifact, buildImage, buildIndex } from '../../support/images.ts';
import { manifestsOnly } from '../../support/network/manifests-only.ts';
import { writes } from '../copy/places.ts';
import { startSigned } from './signed.ts';

describe('ocictl delete tells what hangs on a manifest', () => {
  for (const command of [['delete'], ['manifest', 'delete']]) {
    it(`on stderr and in JSON, before it asks for --yes and after it: ${command.join(' ')}`, async (t) => {
      const { name, digest, tag, parts, report, proxy } = await startSigned(t);
      const refused = await ocictl(t, [...command, `${name}@${digest}`]);
      assert.equal(refused.exitCode, 9);
      assert.match(
        refused.stderr,
        /stays behind: 2 referrers \(1 a\/parts, 1 a\/report\) and the tag sha256-\S+\.sig; --referrers deletes it too$/m,
      );
      assert.deepEqual(writes(proxy), []);
      const { exitCode, stdout, stderr } = await ocictl(t, [...command, '--yes', '--json', `${name}@${digest}`]);
      assert.equal(exitCode, 0, stderr);
      const { deleted, leftBehind } = JSON.parse(stdout) as Record<string, readonly string[]>;
      assert.deepEqual(deleted, [`${name}@${digest}`, `${name}:1`, `${name}:2`]);
      const referrers = [parts, report].map(({ descriptor }) => `${name}@${descriptor.digest}`).sort();
      assert.deepEqual(leftBehind, [...referrers, `${name}:${tag}`]);
    });
  }

  it('with one list and one question for each digest tag', async (t) => {
    const { name, digest, proxy } = await startSigned(t);
    await ocictl(t, ['delete', '--dry-run', `${name}@${digest}`]);
    const asked = proxy.requests.map(({ method, path }) => `${method} ${path}`);
    assert.equal(asked.filter((line) => line.includes('/referrers/')).length, 1, asked.join('\n'));
    assert.equal(new Set(asked).size, asked.length - 1, asked.join('\n')); // the signature is a tag of the list too
  });

  it('and with --dry-run deletes nothing, with status 12', async (t) => {
    const { name, digest, proxy } = await startSigned(t);
    const dry = ['manifest', 'delete', '--dry-run'];
    const { exitCode, stdout, stderr } = await ocictl(t, [...dry, `${name}:1`]);
    assert.equal(exitCode, 12, stderr);
    assert.equal(
      stdout,
      [`${name}@${digest}`, `${name}:1`, `${name}:2`].map((each) => `Would delete: ${each}\n`).join(''),
    );
    assert.match(stderr, /stays behind: 2 referrers/);
    const all = await ocictl(t, [...dry, '--referrers', '--json', `${name}:1`]);
    assert.equal(all.exitCode, 12, all.stderr);
    assert.equal((JSON.parse(all.stdout) as { wouldDelete: readonly string[] }).wouldDelete.length, 7, all.stdout);
    assert.equal((await ocictl(t, [...dry, '--save', 'gone.tar', `${name}:1`])).exitCode, 2);
    assert.equal((await ocictl(t, [...dry, `${name}:none`])).exitCode, 3);
    assert.deepEqual(writes(proxy), []);
  });

  it('and does not count entries of a fallback tag whose manifests do not name it', async (t) => {
    const image = await buildImage({ layers: [] });
    const own = await buildArtifact({ artifactType: 'a/own', subject: image.descriptor });
    const stranger = await buildArtifact({ artifactType: 'a/stranger', subject: own.descriptor });
    const list = await buildIndex([own, stranger, image]);
    const answer = manifestsOnly([image, own, stranger], { 1: image, [fallbackTag(image.descriptor.digest)]: list });
    const { host } = await startFakeServer(t, (request, response, incoming) => {
      if (/\/v2\/$/.test(request.path)) return response.writeHead(200).end();
      if (request.path.includes('/tags/list')) return response.writeHead(200).end('{"tags":["1"]}');
      return answer(request, response, incoming);
    });
    const { stderr } = await ocictl(t, ['manifest', 'delete', '--dry-run', `${host}/team/app:1`]);
    assert.match(stderr, /stays behind: 1 referrer \(1 a\/own\);/);
  });

  it('asks nothing for a tag that is deleted alone', async (t) => {
    const { name, proxy } = await startSigned(t);
    const { stderr } = await ocictl(t, ['delete', `${name}:1`]);
    assert.doesNotMatch(stderr, /behind/);
    assert.deepEqual(
      proxy.requests.map(({ method }) => method).filter((method) => method !== 'GET'),
      ['DELETE'],
    );
    assert.equal(proxy.count(/referrers|sha256-/), 0);
  });

  it('does not take a list that failed for none', async (t) => {
    const { name, digest, proxy } = await startSigned(t);
    proxy.fail({ path: /\/referrers\//, status: 403 });
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', '--yes', '--json', `${name}@${digest}`]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /not all that hangs on \S+ is known, and it stays behind: /);
    assert.equal((JSON.parse(stdout) as { leftBehind: unknown }).leftBehind, null);
  });
});
