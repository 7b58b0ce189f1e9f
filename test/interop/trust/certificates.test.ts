/** Signatures by certificates, as notation makes them and as cosign judges those of the tests. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { app } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';
import { hour, newKeys } from '../../support/trust/certificates.ts';
import { ciIdentity, ciIssuer } from '../../support/trust/sigstore.ts';
import { KeylessPlace } from '../../trust/keyless/keyless-place.ts';
import { NotationPlace } from '../../trust/notation/notation-place.ts';

async function run(t: TestContext, program: string, words: readonly string[]) {
  const { home, env } = await sandbox(t);
  // cosign looks for sigstore's servers: a proxy that is not there ends that at once.
  const variables = { ...env, PATH: process.env['PATH'] ?? '', HTTPS_PROXY: 'http://127.0.0.1:9' };
  return start(t, program, words, { cwd: home, env: variables, timeoutMs: 60_000 }).result;
}

describe('notation', () => {
  it('signs, and ocictl verifies; and judges what the tests sign', async (t) => {
    if (!needs(t, 'notation', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const notation = await NotationPlace.create(openRemote(t, url));
    const { home } = await sandbox(t);
    const { root } = notation.company;
    await mkdir(join(home, 'certs'));
    await writeFile(join(home, 'certs/root.pem'), root.pem);
    const name = `${host}/${app}@${notation.place.digest}`;
    const kinds = [newKeys('P-256'), newKeys('P-384'), newKeys('P-521')];
    const rsa = [2048, 3072, 4096].map((modulusLength) => generateKeyPairSync('rsa', { modulusLength }));
    for (const [index, keys] of [...kinds, ...rsa].entries()) {
      // Signed by the root itself: notation wants names of a country and a state, which the tests' names have not.
      const by = notation.company.certificate({ keys });
      await writeFile(join(home, 'key.pem'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await writeFile(join(home, 'chain.pem'), by.pem + root.pem);
      const signed = await run(t, 'notation', ['sign', name, 'key.pem', 'chain.pem', 'jws', index === 0 ? '1h' : '0s']);
      assert.equal(signed.exitCode, 0, signed.stderr);
    }
    const cose = await run(t, 'notation', ['sign', name, 'key.pem', 'chain.pem', 'cose']);
    assert.equal(cose.exitCode, 0, cose.stderr);
    const { exitCode, stdout, stderr } = await ocictl(t, ['verify', '--trust-store', 'certs', name]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout.match(/^ {2}notation .* CN=Signer/gm)?.length, 6, `${stdout}${stderr}`);
    assert.match(stderr, /in COSE, which is not verified here/);
  });

  it('verifies what the tests sign, so that these are signatures of notation', async (t) => {
    if (!needs(t, 'notation', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const notation = await NotationPlace.create(openRemote(t, url));
    const { home } = await sandbox(t);
    await writeFile(join(home, 'root.pem'), notation.company.root.pem);
    await notation.sign();
    const name = `${host}/${app}@${notation.place.digest}`;
    const { exitCode, stderr } = await run(t, 'notation', ['verify', name, 'root.pem']);
    assert.equal(exitCode, 0, stderr);
  });
});

describe('cosign', () => {
  it('verifies the keyless signatures of the tests as ocictl does, and refuses with it', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const keyless = await KeylessPlace.create(openRemote(t, url));
    const { home } = await sandbox(t);
    await writeFile(join(home, 'root.json'), JSON.stringify(keyless.sigstore.trustedRoot()));
    const name = `${host}/${app}@${keyless.place.digest}`;
    const judge = async (identity: string, form: 'tag' | 'bundle') => {
      const who = [
        '--certificate-identity',
        identity,
        '--certificate-oidc-issuer',
        ciIssuer,
        '--trusted-root',
        'root.json',
      ];
      const layout = form === 'bundle' ? ['--new-bundle-format'] : ['--offline'];
      const theirs = await run(t, 'cosign', ['verify', ...who, ...layout, '--allow-http-registry', name]);
      const ours = await ocictl(t, ['verify', ...who, name]);
      return { theirs, ours };
    };
    for (const form of ['tag', 'bundle'] as const) {
      await keyless[form]();
      const right = await judge(ciIdentity, form);
      assert.deepEqual([right.theirs.exitCode, right.ours.exitCode], [0, 0], right.theirs.stderr + right.ours.stderr);
      assert.match(right.ours.stdout, new RegExp(`^  ${form} `, 'm'));
      const wrong = await judge('evil@example.com', form);
      assert.deepEqual([wrong.theirs.exitCode === 0, wrong.ours.exitCode], [false, 11], wrong.ours.stderr);
    }
  });

  it('refuses a signature whose certificate had expired, as ocictl does', async (t) => {
    if (!needs(t, 'cosign', 'docker-registry')) return;
    const { url, host } = await startDockerRegistry(t);
    const keyless = await KeylessPlace.create(openRemote(t, url));
    const { home } = await sandbox(t);
    await writeFile(join(home, 'root.json'), JSON.stringify(keyless.sigstore.trustedRoot()));
    await keyless.tag({ at: new Date(Date.now() + hour) });
    const name = `${host}/${app}@${keyless.place.digest}`;
    const who = [
      '--certificate-identity',
      ciIdentity,
      '--certificate-oidc-issuer',
      ciIssuer,
      '--trusted-root',
      'root.json',
    ];
    const theirs = await run(t, 'cosign', ['verify', ...who, '--offline', '--allow-http-registry', name]);
    const ours = await ocictl(t, ['verify', ...who, name]);
    assert.deepEqual([theirs.exitCode === 0, ours.exitCode], [false, 11], theirs.stderr);
    assert.match(ours.stderr, /not valid when it was signed/);
  });
});
