/** cosign signs and ocictl verifies, ocictl signs and cosign verifies, in every registry. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { app, buildDemoIndex, imageFor, one, two } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';
import { bundleFlags, cosign, forms, http, makeKeys, registries, rootFlags, variables } from './support/cosign.ts';

const [image, { index }] = [await imageFor('amd64', ['a']), await buildDemoIndex()];

describe('signatures of cosign and ocictl', { concurrency: false }, () => {
  for (const [name, startRegistry] of Object.entries(registries)) {
    it(`verify in both directions, of images and indexes, with every key, in ${name}`, async (t) => {
      if (!needs(t, 'cosign', 'docker-registry', 'registry')) return;
      const { url, host } = await startRegistry(t);
      const remote = openRemote(t, url);
      const keys = await makeKeys(t);
      for (const { prefix, ours } of keys) {
        for (const form of forms) {
          for (const signer of ['cosign', 'ocictl']) {
            const repo = `${host}/${app}-${prefix}-${form}-${signer}`;
            const path = `${app}-${prefix}-${form}-${signer}` as typeof app;
            await pushImage(remote, path, one, image);
            await pushImage(remote, path, two, index);
            const cell = `${signer}, ${form}, ${prefix}`;
            if (signer === 'cosign') {
              const flags = ['--key', `${prefix}.key`, '--tlog-upload=false', '-y', http, ...bundleFlags[form]];
              const signed = await cosign(t, ['sign', ...flags, '--recursive', `${repo}:1`, `${repo}:2`]);
              assert.equal(signed.exitCode, 0, `${cell}: ${signed.stderr}`);
            } else {
              const flags = ['--key', ours, '--signature-format', form, '--recursive'];
              const signed = await ocictl(t, ['sign', ...flags, `${repo}:1`, `${repo}:2`], { env: variables });
              assert.equal(signed.exitCode, 0, `${cell}: ${signed.stderr}`);
            }
            const names = [image, index, ...index.children].map(({ descriptor }) => `${repo}@${descriptor.digest}`);
            const verified = await ocictl(t, ['verify', '--key', `${prefix}.pub`, ...names]);
            assert.equal(verified.exitCode, 0, `${cell}: ${verified.stderr}`);
            assert.equal(verified.stdout.match(new RegExp(`^  ${form} `, 'gm'))?.length, names.length, cell);
            if (signer === 'cosign') continue;
            const judging = ['--key', `${prefix}.pub`, '--insecure-ignore-tlog=true', http, ...rootFlags[form]];
            const theirs = await cosign(t, ['verify', ...judging, ...names.slice(0, 3)]);
            assert.equal(theirs.exitCode, 0, `${cell}: ${theirs.stderr}`);
          }
        }
      }
    });
  }

  it('are added beside those of the other, and annotations are read', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    await pushImage(openRemote(t, url), app, one, image);
    await makeKeys(t);
    const name = `${host}/${app}:1`;
    const flags = ['--tlog-upload=false', '-y', http];
    await cosign(t, ['sign', '--key', 'theirs.key', ...flags, '-a', 'by=cosign', name]);
    const signing = ['sign', '--key', 'ours.key', '--signature-format', 'tag', '-a', 'by=ocictl', name];
    assert.equal((await ocictl(t, signing, { env: variables })).exitCode, 0);
    await cosign(t, ['sign', '--key', 'rsa.key', ...flags, name]);
    const judging = ['--insecure-ignore-tlog=true', http];
    for (const [key, annotation] of [
      ['theirs.pub', ['-a', 'by=cosign']],
      ['ours.pub', ['-a', 'by=ocictl']],
      ['rsa.pub', []],
    ] as const) {
      const ours = await ocictl(t, ['verify', '--key', key, ...annotation, name]);
      assert.equal(ours.exitCode, 0, ours.stderr);
      const theirs = await cosign(t, ['verify', '--key', key, ...judging, ...annotation, name]);
      assert.equal(theirs.exitCode, 0, theirs.stderr);
    }
    const wrong = await ocictl(t, ['verify', '--key', 'theirs.pub', '-a', 'by=ocictl', name]);
    assert.equal(wrong.exitCode, 11, wrong.stderr);
  });

  it('by cosign of an attestation do not count', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    await pushImage(openRemote(t, url), app, one, image);
    await makeKeys(t);
    const { home } = await sandbox(t);
    await writeFile(join(home, 'predicate.json'), '{"buildType":"any"}');
    const name = `${host}/${app}:1`;
    const type = 'https://example.com/check/v1';
    const words = ['--predicate', 'predicate.json', '--type', type, '--new-bundle-format', http];
    const attested = await cosign(t, ['attest', '--key', 'theirs.key', '--tlog-upload=false', '-y', ...words, name]);
    assert.equal(attested.exitCode, 0, attested.stderr);
    const { exitCode, stderr } = await ocictl(t, ['verify', '--key', 'theirs.pub', name]);
    assert.deepEqual([exitCode, /is an attestation/.test(stderr)], [11, true], stderr);
  });
});
