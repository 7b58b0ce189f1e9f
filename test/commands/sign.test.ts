import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestTag } from '../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { pushImage } from '../support/images.ts';
import { needs } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';
import { writeKeys } from '../support/trust/key-files.ts';
import { app, assertWhole, buildDemoIndex, imageFor, one, startPlace, two, writes } from './copy/places.ts';

const image = await imageFor('amd64', ['a']);
const other = await imageFor('amd64', ['b']);
const env = { COSIGN_PASSWORD: 'secret' };

/** A registry behind a proxy, with an image as team/app:1, and keys. */
async function startSigning(t: TestContext, { encrypted = false } = {}) {
  const place = await startPlace(t);
  await pushImage(place.registry, app, one, image);
  if (encrypted) {
    const made = await ocictl(t, ['key', 'generate'], { env });
    assert.equal(made.exitCode, 0, made.stderr);
  } else await writeKeys(t, 'cosign');
  const name = `${place.host}/team/app`;
  const sign = (...words: string[]) => ocictl(t, ['sign', '--key', 'cosign.key', ...words], { env });
  const verify = (...words: string[]) => ocictl(t, ['verify', '--key', 'cosign.pub', ...words]);
  return { ...place, name, digest: image.descriptor.digest, sign, verify };
}

async function layersOf(registry: Registry): Promise<number> {
  const { view } = await registry.getManifest(app, digestTag(image.descriptor.digest, 'sig'));
  return view.kind === 'image' ? view.layers.length : 0;
}

async function referrersOf(registry: Registry): Promise<number> {
  let count = 0;
  for await (const _ of registry.referrers(app, image.descriptor.digest)) count += 1;
  return count;
}

describe('ocictl sign', () => {
  it('signs the digest of a tag in both forms, prints it, and changes nothing else', async (t) => {
    const { name, digest, registry, sign, verify } = await startSigning(t);
    const { exitCode, stdout, stderr } = await sign(`${name}:1`);
    assert.deepEqual([exitCode, stdout], [0, `${name}@${digest}\n`], stderr);
    assert.equal((await registry.statManifest(app, one)).digest, digest);
    await assertWhole(registry, app, image);
    const verified = await verify(`${name}:1`);
    assert.equal(verified.exitCode, 0, verified.stderr);
    assert.match(verified.stdout, new RegExp(`^${name}@${digest}\n  bundle sha256:.*: signed by cosign.pub\n`));
    assert.match(verified.stdout, new RegExp(`  tag sha256-.*: signed by cosign.pub for ${name}\n$`));
  });

  it('takes digests, several references, and those of standard input', async (t) => {
    const { name, digest, registry, verify } = await startSigning(t);
    await pushImage(registry, app, two, other);
    const input = `${name}@${digest}\n${name}:2\n`;
    const { stdout, stderr } = await ocictl(t, ['sign', '--key', 'cosign.key', '-'], { env, input });
    assert.equal(stdout, `${name}@${digest}\n${name}@${other.descriptor.digest}\n`, stderr);
    assert.equal((await verify(`${name}:1`, `${name}:2`)).exitCode, 0);
  });

  it('adds an equal signature once, and another beside it, also for two names of one digest at once', async (t) => {
    const { name, registry, sign } = await startSigning(t);
    await pushImage(registry, app, two, image);
    assert.equal((await sign(`${name}:1`, `${name}:2`)).exitCode, 0);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [1, 1]);
    const again = await sign('--json', `${name}:1`);
    const { signed } = JSON.parse(again.stdout) as { signed: { signatures: { added: boolean }[] }[] };
    assert.deepEqual(
      signed[0]?.signatures.map(({ added }) => added),
      [false, false],
    );
    await sign('-a', 'env=prod', `${name}:1`);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [2, 2]);
    const twice = await sign('-a', 'env=prod', `${name}:1`);
    assert.equal(twice.exitCode, 0, twice.stderr);
    assert.deepEqual([await layersOf(registry), await referrersOf(registry)], [2, 2]);
  });

  it('writes one form where one is asked for', async (t) => {
    const { name, registry, sign, verify } = await startSigning(t);
    await sign('--signature-format', 'bundle', `${name}:1`);
    assert.equal(await referrersOf(registry), 1);
    await assert.rejects(layersOf(registry));
    assert.match((await verify(`${name}:1`)).stdout, /bundle/);
    const wrong = await sign('--signature-format', 'cose', `${name}:1`);
    assert.deepEqual([wrong.exitCode, /choose both, tag, bundle/.test(wrong.stderr)], [2, true]);
  });

  it('signs an index with its images, each once', async (t) => {
    const { name, registry, sign, verify } = await startSigning(t);
    const { index, amd64, arm64, riscv64, attestation } = await buildDemoIndex();
    await pushImage(registry, app, two, index);
    const { stdout } = await sign('--recursive', `${name}:2`);
    const digests = [index, amd64, arm64, riscv64, attestation].map(({ descriptor }) => `${name}@${descriptor.digest}`);
    assert.deepEqual(stdout.trim().split('\n').sort(), digests.sort());
    assert.equal((await verify(...digests)).exitCode, 0);
  });

  it('puts a signature back that another writer overwrote', async (t) => {
    const { name, registry, proxy, sign } = await startSigning(t);
    await sign('--signature-format', 'tag', '-a', 'by=another', `${name}:1`);
    const tag = digestTag(image.descriptor.digest, 'sig');
    const theirs = await registry.getManifest(app, tag);
    // The first write is answered, and lost.
    proxy.fail({ method: 'PUT', path: /manifests\/sha256-.*\.sig$/, times: 1, status: 201, body: '' });
    const { exitCode, stderr } = await sign('--signature-format', 'tag', `${name}:1`);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await layersOf(registry), 2);
    assert.equal(writes(proxy).filter((line) => line.includes('.sig')).length, 3);
    const { view } = await registry.getManifest(app, tag);
    const before = theirs.view.kind === 'image' ? theirs.view.layers[0] : undefined;
    assert.deepEqual(view.kind === 'image' ? view.layers[0] : undefined, before);
  });

  it('refuses to replace what is no signature', async (t) => {
    const { name, registry, sign } = await startSigning(t);
    const tag = digestTag(image.descriptor.digest, 'sig');
    await pushImage(registry, app, tag, other);
    const { exitCode, stderr } = await sign(`${name}:1`);
    assert.deepEqual([exitCode, /holds something else than signatures/.test(stderr)], [9, true]);
    assert.equal((await registry.statManifest(app, tag)).digest, other.descriptor.digest);
  });

  it('signs in a layout for the name that is given', async (t) => {
    const { name, sign, verify } = await startSigning(t);
    await ocictl(t, ['copy', `${name}:1`, 'oci:dir:1']);
    const unnamed = await sign('oci:dir:1');
    assert.deepEqual([unnamed.exitCode, /--sign-container-identity/.test(unnamed.stderr)], [2, true]);
    const { exitCode, stderr } = await sign('--sign-container-identity', 'registry.example.com/x', 'oci:dir:1');
    assert.equal(exitCode, 0, stderr);
    assert.match((await verify('oci:dir:1')).stdout, /for registry\.example\.com\/x/);
  });

  it('says what is wrong with a key, and sends nothing', async (t) => {
    const { name, proxy } = await startSigning(t, { encrypted: true });
    const { home } = await sandbox(t);
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(join(home, 'ed.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, number, RegExp])[] = [
      [[], env, 2, /--key option is missing/],
      [['--key', 'none.key'], env, 2, /there is no file none\.key/],
      [['--key', 'cosign.pub'], env, 2, /is a public key/],
      [['--key', 'ed.key'], env, 2, /Ed25519ph/],
      [['--key', 'cosign.key'], { COSIGN_PASSWORD: 'wrong' }, 4, /wrong password for the key cosign\.key/],
      [['--key', 'cosign.key'], {}, 2, /COSIGN_PASSWORD/],
      [['--key', 'awskms:///alias/x'], env, 1, /"awskms:\/\/" are not supported/],
      [['--key', 'cosign.key', '-a', 'x'], env, 2, /KEY=VALUE/],
    ];
    for (const [words, variables, status, message] of cases) {
      const { exitCode, stderr } = await ocictl(t, ['sign', ...words, `${name}:1`], { env: variables });
      assert.deepEqual([exitCode, message.test(stderr)], [status, true], stderr);
    }
    assert.deepEqual(proxy.requests, []);
  });

  it('asks for the password, three times at most', async (t) => {
    if (!needs(t, 'script')) return;
    const { name } = await startSigning(t, { encrypted: true });
    const running = await spawnOcictl(t, ['sign', '--key', 'cosign.key', `${name}:1`], { tty: true, typing: true });
    for (const [at, password] of ['wrong', 'worse', 'secret'].entries()) {
      // Each prompt is one more: what is typed before it would be echoed.
      await running.waitFor(
        new RegExp(`(?:Password for the private key: [\\s\\S]*?){${at}}Password for the private key: $`),
      );
      running.child.stdin?.write(`${password}\n`);
    }
    const { exitCode, stdout } = await running.result;
    assert.equal(exitCode, 0, stdout);
    assert.equal(stdout.match(/Wrong password/g)?.length, 2);
    assert.doesNotMatch(stdout, /secret/);
  });
});

describe('ocictl verify', () => {
  it('ends with status 11 where no signature counts, and says why', async (t) => {
    const { name, digest, sign, verify } = await startSigning(t);
    const none = await verify(`${name}:1`);
    assert.deepEqual([none.exitCode, none.stdout], [11, '']);
    assert.match(none.stderr, new RegExp(`error: ${name}@${digest} has no signature\n`));
    await writeKeys(t, 'other');
    await sign(`${name}:1`);
    const wrong = await ocictl(t, ['verify', '--key', 'other.pub', `${name}:1`]);
    assert.deepEqual([wrong.exitCode, wrong.stdout], [11, '']);
    assert.match(wrong.stderr, /tag sha256-.* does not count: it is not signed by other\.pub\n/);
    assert.match(wrong.stderr, /bundle sha256:.* does not count: it is not signed by other\.pub\n/);
    assert.match(wrong.stderr, /no signature that counts, of 2/);
    const either = await ocictl(t, ['verify', '--key', 'other.pub', '--key', 'cosign.pub', `${name}:1`]);
    assert.equal(either.exitCode, 0, either.stderr);
  });

  it('prints one JSON document, with each signature and why it does not count', async (t) => {
    const { name, digest, sign, verify } = await startSigning(t);
    await sign('-a', 'env=prod', `${name}:1`);
    const { stdout } = await verify('--json', '--reference', 'repository', '-a', 'env=prod', `${name}:1`);
    const { signatures, ...rest } = JSON.parse(stdout) as { signatures: Record<string, unknown>[] };
    assert.deepEqual(rest, { reference: `${name}:1`, image: `${name}@${digest}`, digest });
    const [bundle, tag] = signatures;
    assert.deepEqual([bundle?.['form'], bundle?.['counts']], ['bundle', false]);
    assert.match(String(bundle?.['reason']), /names no repository/);
    const { form, counts, signedBy, identity, annotations } = tag ?? {};
    assert.deepEqual([form, counts, identity], ['tag', true, name]);
    const { id, ...signatory } = signedBy as Record<string, unknown>;
    assert.deepEqual([signatory, typeof id], [{ kind: 'key', name: 'cosign.pub' }, 'string']);
    assert.deepEqual(annotations, { env: 'prod' });
  });

  it('takes a list that cannot be read for a failure, and not for none', async (t) => {
    const { name, proxy, sign, verify } = await startSigning(t);
    await sign(`${name}:1`);
    for (const path of [/\/referrers\//, /\.sig$/]) {
      for (const [status, exit] of [
        [500, 5],
        [403, 4],
      ] as const) {
        proxy.fail({ path, status, times: 100 });
        const { exitCode, stderr } = await verify(`${name}:1`);
        assert.equal(exitCode, exit, stderr);
        proxy.heal();
      }
    }
  });

  it('reads the text of a registry without letting it control the terminal', async (t) => {
    const { name, sign, verify } = await startSigning(t);
    await sign('-a', 'note=\u001b[2Jx', `${name}:1`);
    assert.ok(!(await verify(`${name}:1`)).stdout.includes('\u001b'));
  });

  it('says what is wrong with a key, and asks for nothing', async (t) => {
    const { name, proxy, verify } = await startSigning(t);
    const { home } = await sandbox(t);
    await writeFile(join(home, 'cosign.pub'), await readFile(join(home, 'cosign.key')));
    const wrong = await verify(`${name}:1`);
    assert.deepEqual([wrong.exitCode, /is a private key/.test(wrong.stderr)], [2, true]);
    const none = await ocictl(t, ['verify', `${name}:1`]);
    assert.deepEqual([none.exitCode, /--key option is missing/.test(none.stderr)], [2, true]);
    assert.deepEqual(proxy.requests, []);
  });
});
