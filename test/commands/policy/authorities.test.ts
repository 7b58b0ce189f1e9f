import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ciIdentity, ciIssuer } from '../../support/trust/sigstore.ts';
import { KeylessPlace } from '../../trust/keyless/keyless-place.ts';
import { NotationPlace } from '../../trust/notation/notation-place.ts';
import { startJudged } from './signed-place.ts';

describe('a policy that names certificates', () => {
  it('takes the signatures of an identity, in both layouts, by the trusted root that it names', async (t) => {
    for (const layout of ['bundle', 'tag'] as const) {
      const { registry, host, home, name, policy, run } = await startJudged(t);
      const keyless = await KeylessPlace.create(registry);
      await writeFile(join(home, 'root.json'), JSON.stringify(keyless.sigstore.trustedRoot()));
      const demand = (identity: string, issuer = ciIssuer): Promise<void> =>
        policy(
          `default: reject\ntrusted-root: root.json\nregistries:\n  "${host}/**": { signed-by: [{ identity: "${identity}", issuer: "${issuer}" }] }\n`,
        );
      await demand(ciIdentity);
      assert.equal((await run('pull', `${name}:1`)).exitCode, 11, 'before it is signed');
      await keyless[layout]();
      const { exitCode, stderr } = await run('pull', `${name}:1`);
      assert.equal(exitCode, 0, stderr);
      const copied = await run('copy', `${name}:1`, 'oci:copied:1');
      assert.equal(copied.exitCode, 0, copied.stderr);
      for (const [identity, issuer] of [
        ['other@example.com', ciIssuer],
        [ciIdentity, 'https://other.example.com'],
      ] as const) {
        await demand(identity, issuer);
        const refused = await run('pull', `${name}:1`);
        assert.equal(refused.exitCode, 11, identity);
        assert.match(refused.stderr, /it is signed by "ci@example\.com"/);
      }
    }
  });

  it('takes the signatures of notation, by the certificates of a directory', async (t) => {
    const { registry, host, home, name, policy, run } = await startJudged(t);
    const notation = await NotationPlace.create(registry);
    await mkdir(join(home, 'certs'));
    await writeFile(join(home, 'certs', 'root.pem'), notation.company.root.pem);
    await policy(`default: reject\nregistries:\n  "${host}/**": { signed-by: [{ trust-store: certs }] }\n`);
    assert.equal((await run('pull', `${name}:1`)).exitCode, 11, 'before it is signed');
    await notation.sign();
    const { exitCode, stderr } = await run('pull', `${name}:1`);
    assert.equal(exitCode, 0, stderr);
  });
});
