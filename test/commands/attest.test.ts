import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { ocictl } from '../support/command.ts';
import { pushImage } from '../support/images.ts';
import { sandbox } from '../support/sandbox.ts';
import { writeKeys } from '../support/trust/key-files.ts';
import { app, assertWhole, buildDemoIndex, imageFor, one, startPlace, two, writes } from './copy/places.ts';

const image = await imageFor('amd64', ['a']);
const { digest } = image.descriptor;
const slsa = { builder: { id: 'https://builder.example.com' }, buildType: 'any', big: 1 };
const documents: Readonly<Record<string, unknown>> = {
  'slsa.json': slsa,
  'slsa1.json': { buildDefinition: { buildType: 'any' }, runDetails: { builder: { id: 'b' } } },
  'spdx.json': { spdxVersion: 'SPDX-2.3', name: 'app' },
  'cyclonedx.json': { bomFormat: 'CycloneDX', specVersion: '1.6' },
  'list.json': [],
};

/** A registry behind a proxy, with an image as team/app:1, keys and predicates. */
async function startAttesting(t: TestContext) {
  const place = await startPlace(t);
  await pushImage(place.registry, app, one, image);
  const { home } = await sandbox(t);
  await writeKeys(t, 'cosign');
  await writeKeys(t, 'other');
  for (const [file, document] of Object.entries(documents)) await writeFile(join(home, file), JSON.stringify(document));
  const name = `${place.host}/team/app`;
  const env = { COSIGN_PASSWORD: '' };
  const attest = (type: string, file: string, ...words: string[]) =>
    ocictl(t, ['attest', '--key', 'cosign.key', '--type', type, '--predicate', file, ...words], { env });
  const verify = (type: string, ...words: string[]) =>
    ocictl(t, ['verify-attestation', '--key', 'cosign.pub', '--type', type, ...words]);
  return { ...place, home, name, attest, verify };
}

async function layersOf(registry: Registry, of: Digest = digest): Promise<number> {
  const { view } = await registry.getManifest(app, digestTag(of, 'att'));
  return view.kind === 'image' ? view.layers.length : 0;
}

async function referrersOf(registry: Registry): Promise<number> {
  let count = 0;
  for await (const _ of registry.referrers(app, digest)) count += 1;
  return count;
}

describe('ocictl attest', () => {
  it('attests what a file has in both forms, prints the digest, and changes nothing else', async (t) => {
    const { name, registry, attest, verify } = await startAttesting(t);
    const { exitCode, stdout, stderr } = await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    assert.deepEqual([exitCode, stdout], [0, `${name}@${digest}\n`], stderr);
    await assertWhole(registry, app, image);
    const verified = await verify('slsaprovenance', `${name}:1`);
    assert.deepEqual([verified.exitCode, verified.stdout], [0, `${JSON.stringify(slsa)}\n`], verified.stderr);
    assert.match(
      verified.stderr,
      /bundle sha256:.* counts: https:\/\/slsa\.dev\/provenance\/v0\.2 signed by cosign\.pub/,
    );
    assert.match(verified.stderr, /tag sha256-.*\.att counts/);
    const signature = await ocictl(t, ['verify', '--key', 'cosign.pub', `${name}:1`]);
    assert.deepEqual([signature.exitCode, /is an attestation/.test(signature.stderr)], [11, true]);
  });

  it('adds an equal attestation once, and others beside it', async (t) => {
    const { name, registry, attest, verify } = await startAttesting(t);
    for (const _ of [1, 2]) await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [1, 1]);
    await attest('spdxjson', 'spdx.json', `${name}:1`);
    await attest('https://example.com/check/v1', 'slsa.json', `${name}:1`);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [3, 3]);
    const { stdout, stderr } = await verify('spdx', `${name}:1`);
    assert.equal(stdout, `${JSON.stringify(documents['spdx.json'])}\n`);
    assert.equal(stderr.match(/does not count: it is an attestation of the type/g)?.length, 4);
  });

  it('replaces those of its type alone, where that is asked for', async (t) => {
    const { name, home, registry, attest, verify } = await startAttesting(t);
    await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    await attest('spdxjson', 'spdx.json', `${name}:1`);
    const newer = { ...slsa, buildType: 'newer' };
    await writeFile(join(home, 'slsa.json'), JSON.stringify(newer));
    const { stdout } = await attest('slsaprovenance', 'slsa.json', '--replace', '--json', `${name}:1`);
    const { signed } = JSON.parse(stdout) as { signed: { signatures: { replaced: number }[] }[] };
    assert.deepEqual(
      signed[0]?.signatures.map(({ replaced }) => replaced),
      [1, 1],
    );
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [2, 2]);
    assert.equal((await verify('slsaprovenance', `${name}:1`)).stdout, `${JSON.stringify(newer)}\n`);
  });

  it('warns of bundles that it cannot replace', async (t) => {
    const { name, home, proxy, registry, attest } = await startAttesting(t);
    await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    await writeFile(join(home, 'slsa.json'), JSON.stringify({ ...slsa, buildType: 'newer' }));
    proxy.fail({ method: 'DELETE', path: /./, status: 405 });
    const { exitCode, stderr } = await attest('slsaprovenance', 'slsa.json', '--replace', `${name}:1`);
    assert.deepEqual([exitCode, /of the same type stays, because it cannot be deleted/.test(stderr)], [0, true]);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [1, 2]);
  });

  it('attests an index with its images, and verifies the image of a platform', async (t) => {
    const { name, registry, attest, verify } = await startAttesting(t);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(registry, app, two, index);
    const { stdout } = await attest('cyclonedx', 'cyclonedx.json', '--recursive', `${name}:2`);
    assert.equal(stdout.split('\n').length, 6);
    const { stdout: found } = await verify('cyclonedx', '--json', '--platform', 'linux/arm64', `${name}:2`);
    assert.equal((JSON.parse(found) as { digest: string }).digest, arm64.descriptor.digest);
  });

  it('puts an attestation back that another writer overwrote', async (t) => {
    const { name, registry, proxy, attest } = await startAttesting(t);
    await attest('spdxjson', 'spdx.json', '--signature-format', 'tag', `${name}:1`);
    // The first write is answered, and lost.
    proxy.fail({ method: 'PUT', path: /manifests\/sha256-.*\.att$/, times: 1, status: 201, body: '' });
    const { exitCode, stderr } = await attest('slsaprovenance', 'slsa.json', '--signature-format', 'tag', `${name}:1`);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await layersOf(registry), 2);
    assert.equal(writes(proxy).filter((line) => line.includes('.att')).length, 3);
  });

  it('takes the predicate from standard input, as text for the types that have text', async (t) => {
    const { name, verify } = await startAttesting(t);
    const env = { COSIGN_PASSWORD: '' };
    const words = ['attest', '--key', 'cosign.key', '--predicate', '-', '--type'];
    const tagValue = 'SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n';
    const spdx = await ocictl(t, [...words, 'spdx', `${name}:1`], { env, input: tagValue });
    assert.equal(spdx.exitCode, 0, spdx.stderr);
    assert.equal((await verify('spdx', `${name}:1`)).stdout, `${JSON.stringify(tagValue)}\n`);
    await ocictl(t, [...words, 'custom', `${name}:1`], { env, input: 'checked by hand' });
    assert.match(
      (await verify('custom', `${name}:1`)).stdout,
      /^\{"Data":"checked by hand","Timestamp":"\d{4}-.*Z"\}\n$/,
    );
    const twice = await ocictl(t, [...words, 'custom', '-'], { env, input: 'x' });
    assert.deepEqual([twice.exitCode, /given twice/.test(twice.stderr)], [2, true]);
  });

  it('says what is wrong with a predicate or a type, and sends nothing', async (t) => {
    const { name, home, proxy, attest } = await startAttesting(t);
    await writeFile(join(home, 'binary'), Buffer.from([0xff, 0xfe, 0]));
    await writeFile(join(home, 'deep.json'), '['.repeat(1000));
    await writeFile(join(home, 'statement.json'), '{"_type":"https://in-toto.io/Statement/v1","predicate":{}}');
    for (const [type, file, message] of [
      ['spdxjson', 'cyclonedx.json', /cyclonedx\.json is not SPDX in JSON/],
      ['cyclonedx', 'spdx.json', /spdx\.json is not CycloneDX/],
      ['https://cyclonedx.org/bom', 'spdx.json', /spdx\.json is not CycloneDX/],
      ['spdx', 'cyclonedx.json', /cyclonedx\.json is not an SPDX document/],
      ['slsaprovenance', 'slsa1.json', /is not SLSA provenance 0\.2/],
      ['slsaprovenance1', 'slsa.json', /is not SLSA provenance 1/],
      ['openvex', 'spdx.json', /is not OpenVEX/],
      ['link', 'spdx.json', /is not a link/],
      ['vuln', 'list.json', /is not a JSON object/],
      ['vuln', 'binary', /is not text/],
      ['vuln', 'deep.json', /nested deeper/],
      ['vuln', 'statement.json', /a whole statement/],
      ['slsa', 'slsa.json', /"slsa" is no type of attestation/],
      ['vuln', 'absent.json', /there is no file absent\.json/],
    ] as const) {
      const { exitCode, stderr } = await attest(type, file, `${name}:1`);
      assert.deepEqual([exitCode, message.test(stderr)], [2, true], stderr);
    }
    assert.deepEqual(proxy.requests, []);
  });
});

describe('ocictl verify-attestation', () => {
  it('ends with status 11 where none counts, and says why', async (t) => {
    const { name, attest, verify } = await startAttesting(t);
    const none = await verify('spdxjson', `${name}:1`);
    assert.deepEqual([none.exitCode, none.stdout], [11, '']);
    assert.match(none.stderr, /has no attestation\n.*ocictl attest adds one/s);
    await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    for (const [words, reason] of [
      [
        ['--key', 'cosign.pub', '--type', 'spdxjson'],
        /type "https:\/\/slsa\.dev\/provenance\/v0\.2" instead of spdxjson/,
      ],
      [['--key', 'cosign.pub'], /instead of custom/],
      [['--key', 'other.pub', '--type', 'slsaprovenance'], /not signed by other\.pub/],
      [['--key', 'cosign.pub', '--type', 'slsaprovenance', '--field', 'builder.id=x'], /field "builder\.id" is/],
    ] as const) {
      const wrong = await ocictl(t, ['verify-attestation', ...words, `${name}:1`]);
      assert.deepEqual([wrong.exitCode, wrong.stdout], [11, ''], wrong.stderr);
      assert.equal(wrong.stderr.match(new RegExp(`does not count: .*${reason.source}`, 'g'))?.length, 2, wrong.stderr);
    }
  });

  it('prints the statement, or one JSON document, as it was signed', async (t) => {
    const { name, attest, verify } = await startAttesting(t);
    await attest('slsaprovenance', 'slsa.json', `${name}:1`);
    const field = ['--field', 'builder.id=https://builder.example.com', '--field', 'big=1'];
    const { stdout } = await verify(
      'slsaprovenance',
      '--statement',
      ...field,
      '--reference',
      'repository',
      `${name}:1`,
    );
    const statement = JSON.parse(stdout) as { subject: object[]; predicate: object };
    const [subject] = statement.subject;
    assert.deepEqual(subject, { name, digest: { sha256: digest.slice(7) } });
    assert.deepEqual(statement.predicate, slsa);
    const result = JSON.parse((await verify('slsaprovenance', '--json', `${name}:1`)).stdout) as {
      attestations: Record<string, unknown>[];
    };
    const { attestations, ...rest } = result;
    assert.deepEqual(rest, { reference: `${name}:1`, image: `${name}@${digest}`, digest });
    assert.deepEqual(
      attestations.map(({ form, counts, predicateType, predicate }) => [form, counts, predicateType, predicate]),
      ['bundle', 'tag'].map((form) => [form, true, 'https://slsa.dev/provenance/v0.2', slsa]),
    );
  });

  for (const status of [429, 500]) {
    for (const path of [/\/referrers\//, /\.att$/]) {
      it(`takes ${status} of ${path.source} for a failure, and not for none`, async (t) => {
        const { name, proxy, attest, verify } = await startAttesting(t);
        await attest('slsaprovenance', 'slsa.json', `${name}:1`);
        proxy.fail({ path, status, ...(status === 429 && { headers: { 'retry-after': '0' } }) });
        const { exitCode, stdout } = await verify('slsaprovenance', `${name}:1`);
        assert.deepEqual([exitCode, stdout], [status === 429 ? 6 : 5, '']);
      });
    }
  }
});
