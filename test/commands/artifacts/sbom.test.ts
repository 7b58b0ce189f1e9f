import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildIndex, pushImage } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one, startPlace } from '../copy/places.ts';
import { attestationOf, dsse, spdx, statementOf } from './sboms.ts';

const [amd64, arm64] = [await imageFor('amd64'), await imageFor('arm64')];
const cyclonedx = '{"bomFormat":"CycloneDX","specVersion":"1.6"}';

async function startWith(t: TestContext, built: Built) {
  const place = await startPlace(t);
  await pushImage(place.registry, app, one, built);
  return { ...place, name: `${place.host}/team/app`, before: place.proxy.requests.length };
}

describe('ocictl sbom', () => {
  it("prints the predicate of BuildKit's attestation for the platform, with three requests", async (t) => {
    const index = await buildIndex([
      amd64,
      arm64,
      await attestationOf(amd64, spdx('for amd64')),
      await attestationOf(arm64, spdx('for arm64')),
    ]);
    const { name, proxy } = await startWith(t, index);
    for (const architecture of ['amd64', 'arm64']) {
      const before = proxy.requests.length;
      const words = ['sbom', '--platform', `linux/${architecture}`, `${name}:1`];
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [0, spdx(`for ${architecture}`)], stderr);
      assert.match(stderr, /^spdx from BuildKit's attestation \S+@sha256:\w+; it was not verified$/m);
      const asked = proxy.requests.slice(before).filter(({ path }) => path !== '/v2/');
      assert.equal(asked.length, 3, asked.map(({ method, path }) => `${method} ${path}`).join('\n'));
    }
  });

  it('finds what refers to the image or its index, and lists all', async (t) => {
    const index = await buildIndex([amd64]);
    const { name, registry } = await startWith(t, index);
    const onIndex = await buildArtifact({
      artifactType: 'application/vnd.cyclonedx+json',
      subject: index.descriptor,
      blobs: [await buildBlob(cyclonedx, 'application/vnd.cyclonedx+json')],
    });
    const onImage = await buildArtifact({
      artifactType: 'application/vnd.unknown.artifact.v1',
      subject: amd64.descriptor,
      blobs: [await buildBlob(spdx('plain'), 'application/spdx+json')],
    });
    const other = await buildArtifact({ artifactType: 'a/signature', subject: amd64.descriptor });
    for (const each of [onIndex, onImage, other]) await pushImage(registry, app, undefined, each);
    const first = await ocictl(t, ['sbom', '--platform', 'linux/amd64', `${name}:1`]);
    assert.deepEqual([first.exitCode, first.stdout], [0, spdx('plain')], first.stderr);
    const flags = ['--platform', 'linux/amd64'];
    const chosen = await ocictl(t, ['sbom', '--type', 'cyclonedx', '-o', 'app.json', '--json', ...flags, `${name}:1`]);
    assert.equal(chosen.exitCode, 0, chosen.stderr);
    assert.equal(await readFile(join((await sandbox(t)).home, 'app.json'), 'utf8'), cyclonedx);
    const { subject, format, kind } = JSON.parse(chosen.stdout) as Record<string, unknown>;
    assert.deepEqual([subject, format, kind], [index.descriptor.digest, 'cyclonedx', 'referrer']);
    const listed = await ocictl(t, ['sbom', '--list', ...flags, `${name}:1`]);
    assert.deepEqual(
      listed.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t').at(0)),
      ['spdx', 'cyclonedx'],
    );
  });

  it("reads cosign's attestations and attachments by tag", async (t) => {
    const { name, registry } = await startWith(t, amd64);
    const { digest } = amd64.descriptor;
    const [, att, sbom] = digestTagsOf(digest);
    assert.ok(att !== undefined && sbom !== undefined);
    const attached = await buildArtifact({
      artifactType: 'x/y',
      blobs: [await buildBlob('SPDXVersion: 2.3', 'text/spdx')],
    });
    await pushImage(registry, app, sbom, attached);
    const raw = await ocictl(t, ['sbom', `${name}:1`]);
    assert.deepEqual([raw.exitCode, raw.stdout], [0, 'SPDXVersion: 2.3'], raw.stderr);
    const envelope = await buildBlob(
      dsse(statementOf(amd64, spdx('attested'))),
      'application/vnd.dsse.envelope.v1+json',
    );
    await pushImage(registry, app, att, await buildArtifact({ artifactType: 'x/y', blobs: [envelope] }));
    const attested = await ocictl(t, ['sbom', `${name}:1`]);
    assert.deepEqual([attested.exitCode, attested.stdout], [0, spdx('attested')], attested.stderr);
    assert.match(attested.stderr, /^spdx from cosign's attestation \S+\.att; it was not verified$/m);
  });

  it('takes no attestation about another image, and says so where it takes the next', async (t) => {
    const index = await buildIndex([
      amd64,
      await attestationOf(amd64, spdx('wrong'), statementOf(arm64, spdx('wrong'))),
      await attestationOf(amd64, spdx('right')),
    ]);
    const { name } = await startWith(t, index);
    const { exitCode, stdout, stderr } = await ocictl(t, ['sbom', '--platform', 'linux/amd64', `${name}:1`]);
    assert.deepEqual([exitCode, stdout], [0, spdx('right')], stderr);
    assert.match(stderr, /is about another image: it was not taken/);
  });

  const bad: readonly (readonly [string, string, number, RegExp])[] = [
    ['about another image', statementOf(arm64, '{}'), 9, /is about another image/],
    ['that is no statement', '[]', 7, /is not a JSON object/],
    ['that is nested too deep', '['.repeat(10_000), 7, /nested too deep/],
  ];
  for (const [title, statement, status, message] of bad) {
    it(`ends with ${status} where the only attestation is one ${title}`, async (t) => {
      const { name } = await startWith(t, await buildIndex([amd64, await attestationOf(amd64, '{}', statement)]));
      const { exitCode, stdout, stderr } = await ocictl(t, ['sbom', '--platform', 'linux/amd64', `${name}:1`]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
    });
  }

  it('ends with 3 where there is none, and says what it looked at', async (t) => {
    const { name } = await startWith(
      t,
      await buildIndex([amd64, await attestationOf(amd64, '{}', '{}', 'https://slsa.dev/x')]),
    );
    for (const flags of [[], ['--list'], ['--type', 'syft']]) {
      const { exitCode, stdout, stderr } = await ocictl(t, [
        'sbom',
        '--platform',
        'linux/amd64',
        ...flags,
        `${name}:1`,
      ]);
      assert.deepEqual([exitCode, stdout], [3, ''], stderr);
      assert.match(stderr, /has no list of parts \(SBOM\)/);
      assert.match(stderr, /hint: looked at: its attestations in the index; what refers to sha256:\w+ and sha256:/);
    }
  });

  it('says nothing of an index where there is none', async (t) => {
    const { name } = await startWith(t, amd64);
    const { exitCode, stderr } = await ocictl(t, ['sbom', '--platform', 'linux/amd64', `${name}:1`]);
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /hint: looked at: what refers to sha256:\w+; their tags/);
  });

  it('does not take a list that failed for none', async (t) => {
    const { name, proxy } = await startWith(t, amd64);
    proxy.fail({ path: /\/referrers\//, status: 403 });
    assert.equal((await ocictl(t, ['sbom', `${name}:1`])).exitCode, 4);
  });

  const refusals: readonly (readonly [string, readonly string[], number])[] = [
    ['a format that is none', ['--type', 'x'], 2],
    ['--json and a document on standard output', ['--json'], 2],
    ['--list with a file', ['--list', '-o', 'x'], 2],
    ['a platform that is not there', ['--platform', 'linux/s390x'], 3],
  ];
  for (const [title, words, status] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      const { name } = await startWith(t, await buildIndex([amd64]));
      const { exitCode, stdout, stderr } = await ocictl(t, ['sbom', ...words, `${name}:1`]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
    });
  }
});
