/** Certificates by the command line: whose count, and where the trusted root is from. */
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { sandbox } from '../support/sandbox.ts';
import { ciIdentity, ciIssuer } from '../support/trust/sigstore.ts';
import { KeylessPlace } from '../trust/keyless/keyless-place.ts';
import { startPlace } from './copy/places.ts';

const ci = ['--certificate-identity', ciIdentity, '--certificate-oidc-issuer', ciIssuer];

async function startKeyless(t: TestContext) {
  const { registry, host } = await startPlace(t);
  const keyless = await KeylessPlace.create(registry);
  const { home } = await sandbox(t);
  await writeFile(join(home, 'root.json'), JSON.stringify(keyless.sigstore.trustedRoot()));
  const verify = (...words: string[]) => ocictl(t, ['verify', ...words, `${host}/team/app:1`]);
  return { keyless, home, verify };
}

describe('ocictl verify by certificates', () => {
  it('says who signed and when, in words and in JSON', async (t) => {
    const { keyless, verify } = await startKeyless(t);
    await keyless.bundle();
    await keyless.tag();
    const { exitCode, stdout, stderr } = await verify(...ci, '--trusted-root', 'root.json');
    assert.equal(exitCode, 0, stderr);
    const signer = `signed by ${ciIdentity} \\(issuer ${ciIssuer}\\) at \\d{4}-`;
    assert.match(stdout, new RegExp(`^  bundle \\S+: ${signer}`, 'm'));
    assert.match(stdout, new RegExp(`^  tag \\S+: ${signer}.* for registry\\.example\\.com/team/app`, 'm'));
    const json = await verify('--json', ...ci, '--trusted-root', 'root.json');
    const { signatures } = JSON.parse(json.stdout) as { signatures: { signedBy: Record<string, string> }[] };
    const { kind, identity, issuer, signedAt = '' } = signatures[0]?.signedBy ?? {};
    assert.deepEqual([kind, identity, issuer], ['certificate', ciIdentity, ciIssuer]);
    assert.ok(Date.parse(signedAt) > 0);
  });

  it('takes a pattern for all of a name', async (t) => {
    const { keyless, verify } = await startKeyless(t);
    await keyless.bundle();
    const by = (pattern: string) =>
      verify(
        '--certificate-identity-regexp',
        pattern,
        '--certificate-oidc-issuer-regexp',
        'https://.*',
        '--trusted-root',
        'root.json',
      );
    assert.equal((await by('[a-z]+@example\\.com')).exitCode, 0);
    const part = await by('@example\\.com');
    assert.deepEqual([part.exitCode, /signed by "ci@example\.com"/.test(part.stderr)], [11, true], part.stderr);
  });

  it('keeps a trusted root when told to, privately, and uses it afterwards', async (t) => {
    const { keyless, home, verify } = await startKeyless(t);
    await keyless.bundle();
    const none = await verify(...ci);
    assert.deepEqual([none.exitCode, /none is kept/.test(none.stderr)], [2, true], none.stderr);
    assert.equal((await verify(...ci, '--trusted-root', 'root.json')).exitCode, 0);
    assert.equal((await verify(...ci)).exitCode, 2);
    const kept = await verify(...ci, '--trusted-root', 'root.json', '--keep-trusted-root');
    assert.equal(kept.exitCode, 0, kept.stderr);
    assert.equal((await verify(...ci)).exitCode, 0);
    const file = join(home, 'cache/ocictl/trust/trusted_root.json');
    assert.equal((await readFile(file)).equals(await readFile(join(home, 'root.json'))), true);
    if (process.platform === 'win32') return;
    await chmod(file, 0o666);
    const open = await verify(...ci);
    assert.deepEqual([open.exitCode, /open to other users/.test(open.stderr)], [10, true], open.stderr);
  });

  it('tells of a clock that is behind', async (t) => {
    const { keyless, verify } = await startKeyless(t);
    const at = new Date(Date.now() + 3_600_000);
    const certificate = keyless.sigstore.certificate({ until: new Date(at.getTime() + 60_000) });
    await keyless.bundle({ certificate, at });
    const { exitCode, stdout } = await verify(...ci, '--trusted-root', 'root.json');
    assert.deepEqual([exitCode, /yet to come by the clock of this machine/.test(stdout)], [0, true], stdout);
  });

  it('asks for an identity with its issuer, and for one of each', async (t) => {
    const { verify } = await startKeyless(t);
    for (const [words, message] of [
      [['--certificate-identity', ciIdentity], /--certificate-oidc-issuer option is missing/],
      [['--certificate-oidc-issuer', ciIssuer], /--certificate-identity option is missing/],
      [[...ci, '--certificate-identity-regexp', '.*'], /exclude each other/],
      [[...ci, '--trusted-root', 'absent.json'], /no file absent\.json/],
      [['--certificate-identity-regexp', '(', '--certificate-oidc-issuer', ciIssuer], /not a regular expression/],
      [['--trusted-root', 'root.json'], /needs --certificate-identity/],
      [[...ci, '--keep-trusted-root'], /needs --trusted-root/],
      [[], /--key option is missing/],
    ] as const) {
      const { exitCode, stderr } = await verify(...words);
      assert.deepEqual([exitCode, message.test(stderr)], [2, true], stderr);
    }
  });
});
