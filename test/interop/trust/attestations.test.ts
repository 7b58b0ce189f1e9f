/** cosign attests and ocictl verifies, ocictl attests and cosign verifies, in every registry. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { app, buildDemoIndex, imageFor, one, two } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';
import { bundleFlags, cosign, forms, http, makeKeys, registries, rootFlags, variables } from './support/cosign.ts';

const [image, { index }] = [await imageFor('amd64', ['a']), await buildDemoIndex()];
const digests = [image, index].map(({ descriptor }) => descriptor.digest);

/** Predicates in the order of fields in which cosign writes them, so that both write the same. */
const predicates: Readonly<Record<string, string>> = {
  slsaprovenance: '{"builder":{"id":"https://b.example.com"},"buildType":"any","invocation":{"configSource":{}}}',
  spdxjson: '{"SPDXID":"SPDXRef-DOCUMENT","name":"app","spdxVersion":"SPDX-2.3"}',
  cyclonedx: '{"bomFormat":"CycloneDX","specVersion":"1.5"}',
};
const types = Object.keys(predicates);

/** What cosign prints of one attestation. */
function statementOf(line: string): { readonly predicate: unknown; readonly subject: readonly { digest: object }[] } {
  const { payload } = JSON.parse(line) as { payload: string };
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')) as ReturnType<typeof statementOf>;
}

interface Cell {
  readonly signer: 'cosign' | 'ocictl';
  readonly form: (typeof forms)[number];
  readonly prefix: string;
  readonly ours: string;
}

/** Attests everything of an image and an index in a repository of their own, and lets both programs verify it. */
async function tryCell(t: TestContext, registry: { url: string; host: string }, { signer, form, prefix, ours }: Cell) {
  const cell = `${signer}, ${form}, ${prefix}`;
  const path = `${app}-${prefix}-${form}-${signer}` as typeof app;
  const name = `${registry.host}/${path}`;
  const remote = openRemote(t, registry.url);
  await pushImage(remote, path, one, image);
  await pushImage(remote, path, two, index);
  const names = digests.map((digest) => `${name}@${digest}`);
  for (const type of types) {
    const what = ['--type', type, '--predicate', `${type}.json`];
    if (signer === 'ocictl') {
      const flags = ['--key', ours, '--signature-format', form];
      const attested = await ocictl(t, ['attest', ...what, ...flags, `${name}:1`, `${name}:2`], { env: variables });
      assert.deepEqual(
        [attested.exitCode, attested.stdout],
        [0, `${names.join('\n')}\n`],
        `${cell}: ${attested.stderr}`,
      );
      continue;
    }
    const flags = ['--key', `${prefix}.key`, '--tlog-upload=false', '-y', http, ...bundleFlags[form]];
    for (const one of names) {
      const attested = await cosign(t, ['attest', ...what, ...flags, one]);
      assert.equal(attested.exitCode, 0, `${cell}: ${attested.stderr}`);
    }
  }
  for (const type of types) {
    const asked = ['--key', `${prefix}.pub`, '--type', type];
    const verified = await ocictl(t, ['verify-attestation', ...asked, '--reference', 'repository', ...names]);
    const expected = names.map(() => `${predicates[type]}\n`).join('');
    assert.deepEqual([verified.exitCode, verified.stdout], [0, expected], `${cell}: ${verified.stderr}`);
    assert.equal(verified.stderr.match(new RegExp(` ${form} \\S+ counts: `, 'g'))?.length, names.length, cell);
    if (signer === 'cosign') continue;
    const flags = ['--insecure-ignore-tlog=true', http, ...rootFlags[form]];
    const theirs = await cosign(t, ['verify-attestation', ...asked, ...flags, ...names]);
    assert.equal(theirs.exitCode, 0, `${cell}: ${theirs.stderr}`);
    const lines = theirs.stdout.trim().split('\n').map(statementOf);
    assert.deepEqual(
      lines.map(({ predicate, subject }) => [predicate, subject[0]?.digest]),
      digests.map((digest) => [JSON.parse(predicates[type] ?? ''), { sha256: digest.slice(7) }]),
      cell,
    );
  }
}

describe('attestations of cosign and ocictl', { concurrency: false }, () => {
  // The first two have no list of referrers; of the others, what differs is tried.
  const parts = {
    'docker-registry 2.8': { forms, keys: ['theirs', 'rsa'] },
    'distribution 3': { forms, keys: ['theirs'] },
    'ocictl serve': { forms: ['bundle'], keys: ['rsa'] },
  } as const;
  for (const [name, part] of Object.entries(parts)) {
    it(`verify in both directions, of images and indexes, of every type, in ${name}`, async (t) => {
      if (!needs(t, 'cosign', 'docker-registry', 'registry')) return;
      const registry = await registries[name as keyof typeof parts](t);
      const { home } = await sandbox(t);
      const keys = (await makeKeys(t)).filter(({ prefix }) => part.keys.some((key) => key === prefix));
      for (const [type, text] of Object.entries(predicates)) await writeFile(join(home, `${type}.json`), text);
      for (const form of part.forms) {
        const cells = keys.flatMap((key) =>
          (['cosign', 'ocictl'] as const).map((signer) => ({ signer, form, ...key })),
        );
        await Promise.all(cells.map((cell) => tryCell(t, registry, cell)));
      }
    });
  }

  it('stay beside each other in both forms, and cosign verifies with a trusted root that is empty', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const registry = await startDockerRegistry(t);
    await pushImage(openRemote(t, registry.url), app, one, image);
    await makeKeys(t);
    const { home } = await sandbox(t);
    await writeFile(join(home, 'slsa.json'), predicates['slsaprovenance'] ?? '');
    await writeFile(join(home, 'any.json'), '{"passed":true}');
    const name = `${registry.host}/${app}:1`;
    const custom = 'https://example.com/check/v1';
    const theirs = [
      '--key',
      'theirs.key',
      '--tlog-upload=false',
      '-y',
      http,
      '--predicate',
      'any.json',
      '--type',
      custom,
    ];
    for (const flags of [[], ['--new-bundle-format']]) await cosign(t, ['attest', ...theirs, ...flags, name]);
    const ours = ['--key', 'ours.key', '--predicate', 'slsa.json', '--type', 'slsaprovenance'];
    const attested = await ocictl(t, ['attest', ...ours, name], { env: variables });
    assert.equal(attested.exitCode, 0, attested.stderr);
    for (const [key, type] of [
      ['theirs.pub', custom],
      ['ours.pub', 'slsaprovenance'],
    ] as const) {
      const verified = await ocictl(t, ['verify-attestation', '--json', '--key', key, '--type', type, name]);
      const { attestations } = JSON.parse(verified.stdout) as { attestations: { form: string; counts: boolean }[] };
      assert.deepEqual(
        attestations.filter(({ counts }) => counts).map(({ form }) => form),
        ['bundle', 'tag'],
      );
      // As docs/signing.md says it: where there is a bundle, cosign 2.6 wants a trusted root.
      const judging = ['verify-attestation', '--key', key, '--type', type, '--insecure-ignore-tlog=true', http];
      const without = await cosign(t, [...judging, name]);
      assert.match(without.stderr, /trusted root is required/);
      const withRoot = await cosign(t, [...judging, '--trusted-root', 'root.json', name]);
      assert.equal(withRoot.exitCode, 0, withRoot.stderr);
    }
  });

  it('of signatures in both forms: cosign verifies them with a trusted root that is empty', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const registry = await startDockerRegistry(t);
    const remote = openRemote(t, registry.url);
    await makeKeys(t);
    for (const [form, withoutRoot] of [
      ['tag', true],
      ['both', false],
    ] as const) {
      const path = `${app}-${form}` as typeof app;
      await pushImage(remote, path, one, image);
      const name = `${registry.host}/${path}:1`;
      const signed = await ocictl(t, ['sign', '--key', 'ours.key', '--signature-format', form, name], {
        env: variables,
      });
      assert.equal(signed.exitCode, 0, signed.stderr);
      const judging = ['verify', '--key', 'ours.pub', '--insecure-ignore-tlog=true', http];
      const without = await cosign(t, [...judging, name]);
      assert.deepEqual(
        [without.exitCode === 0, /trusted root is required/.test(without.stderr)],
        [withoutRoot, !withoutRoot],
      );
      const withRoot = await cosign(t, [...judging, '--trusted-root', 'root.json', name]);
      assert.equal(withRoot.exitCode, 0, withRoot.stderr);
    }
  });
});
