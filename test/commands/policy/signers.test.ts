import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { attestManifest } from '../../../src/trust/sign/attest.ts';
import { keySigner } from '../../../src/trust/signer.ts';
import { pushImage } from '../../support/images.ts';
import { app, imageFor, one } from '../copy/places.ts';
import { sign, startJudged, stranger, team } from './signed-place.ts';

const image = await imageFor('amd64', ['a']);
const slsa = 'https://slsa.dev/provenance/v0.2';

async function startImage(t: TestContext) {
  const judged = await startJudged(t);
  await pushImage(judged.registry, app, one, image);
  const demand = (requirement: string): Promise<void> =>
    judged.policy(`default: reject\nregistries:\n  "${judged.host}": ${requirement}\n`);
  const pull = () => judged.run('pull', `${judged.name}:1`);
  return { ...judged, demand, pull };
}

async function attest(
  registry: Parameters<typeof sign>[0],
  type: string,
  key = team,
  predicate = '{"a":1}',
): Promise<void> {
  const { mediaType, digest, size } = image.descriptor;
  const subject = { mediaType, digest, size };
  const request = { registry, repo: app, subject, signer: keySigner(key), identity: 'a.io/x' };
  const told = { noBundle: () => {}, notReplaced: () => {} };
  const what = { predicateType: type, predicate, replace: false };
  await attestManifest({ ...request, ...what }, 'both', new Date(0), told);
}

const both = '{ signed-by: [{ key: team.pub }, { key: stranger.pub }], at-least: 2 }';

describe('a policy that asks for signatures and attestations', () => {
  it('takes one look at what refers to the image', async (t) => {
    const { registry, proxy, demand, pull } = await startImage(t);
    await sign(registry, image, { format: 'bundle' });
    await attest(registry, slsa);
    await demand('{ signed-by: [{ key: team.pub }], attested: [slsaprovenance] }');
    const before = proxy.requests.length;
    const { exitCode, stderr } = await pull();
    assert.equal(exitCode, 0, stderr);
    const paths = proxy.requests.slice(before).map(({ path }) => path);
    assert.equal(paths.filter((path) => path.includes('/referrers/')).length, 1, paths.join('\n'));
    const reads = paths.filter((path) => /\/(?:manifests|blobs)\/sha256:/.test(path));
    assert.equal(new Set(reads).size, reads.length, paths.join('\n'));
  });
});

describe('a policy that names who signs', () => {
  it('counts each signer once', async (t) => {
    const { registry, demand, pull } = await startImage(t);
    await demand(both);
    await sign(registry, image, { format: 'both' });
    const { exitCode, stderr } = await pull();
    assert.equal(exitCode, 11);
    assert.match(stderr, /has signatures by too few \(.*team\.pub\)/);
    assert.match(stderr, /it takes 2 of the signatures by .*team\.pub, .*stranger\.pub/);
    await sign(registry, image, { key: stranger });
    assert.equal((await pull()).exitCode, 0);
  });

  it('wants attestations of their types, by one of them', async (t) => {
    const { registry, demand, pull } = await startImage(t);
    await demand('{ signed-by: [{ key: team.pub }], attested: [slsaprovenance] }');
    await sign(registry, image);
    const refused = await pull();
    assert.deepEqual(
      [refused.exitCode, /has no attestation \(slsaprovenance\) that counts/.test(refused.stderr)],
      [11, true],
      refused.stderr,
    );
    await attest(registry, 'https://example.com/other');
    assert.equal((await pull()).exitCode, 11, 'of another type');
    await attest(registry, slsa, stranger);
    assert.equal((await pull()).exitCode, 11, 'of a stranger');
    await attest(registry, slsa);
    assert.equal((await pull()).exitCode, 0);
  });

  it('wants fields of an attestation, all of them in one', async (t) => {
    const { registry, demand, pull } = await startImage(t);
    await demand(
      '{ signed-by: [{ key: team.pub }], at-least: 0, attested: [{ type: slsaprovenance, fields: { builder.id: "https://ci.io", runs: 2 } }] }',
    );
    await attest(registry, slsa, team, '{"builder":{"id":"https://ci.io"},"runs":1}');
    await attest(registry, slsa, team, '{"builder":{"id":"https://other.io"},"runs":2}');
    const refused = await pull();
    assert.equal(refused.exitCode, 11);
    assert.match(
      refused.stderr,
      /no attestation \(slsaprovenance with builder\.id=https:\/\/ci\.io and runs=2\) that counts/,
    );
    await attest(registry, slsa, stranger, '{"builder":{"id":"https://ci.io"},"runs":2}');
    assert.equal((await pull()).exitCode, 11, 'of a stranger');
    await attest(registry, slsa, team, '{"builder":{"id":"https://ci.io"},"runs":2}');
    const { exitCode, stderr } = await pull();
    assert.equal(exitCode, 0, stderr);
  });

  it('takes an attestation for no signature, unless none is demanded', async (t) => {
    const { registry, demand, pull } = await startImage(t);
    await attest(registry, slsa);
    await demand('{ signed-by: [{ key: team.pub }] }');
    assert.equal((await pull()).exitCode, 11);
    await demand('{ signed-by: [{ key: team.pub }], attested: slsaprovenance, at-least: 0 }');
    assert.equal((await pull()).exitCode, 0);
  });

  it('compares the name that was signed', async (t) => {
    const { registry, demand, pull, name, run } = await startImage(t);
    await sign(registry, image, { identity: `${name}:1` });
    for (const [reference, exitCode] of Object.entries({ any: 0, repository: 0, exact: 0 })) {
      await demand(`{ signed-by: [{ key: team.pub }], reference: ${reference} }`);
      assert.equal((await pull()).exitCode, exitCode, reference);
    }
    const byDigest = await run('pull', `${name}@${image.descriptor.digest}`);
    assert.deepEqual([byDigest.exitCode, /instead of .*@sha256:/.test(byDigest.stderr)], [11, true], byDigest.stderr);
  });

  it('reads a policy.json with the names that it remaps', async (t) => {
    const { registry, host, name, policy, run } = await startImage(t);
    await sign(registry, image, { identity: 'origin.example.com/team/app:1' });
    const json = (signedIdentity: object): Promise<void> => {
      const requirement = { type: 'sigstoreSigned', keyPath: 'team.pub', signedIdentity };
      return policy(
        JSON.stringify({ default: [{ type: 'reject' }], transports: { docker: { [host]: [requirement] } } }),
      );
    };
    for (const [identity, exitCode] of [
      [{ type: 'remapIdentity', prefix: host, signedPrefix: 'origin.example.com' }, 0],
      [{ type: 'remapIdentity', prefix: `${host}/other`, signedPrefix: 'origin.example.com/team' }, 11],
      [{ type: 'exactReference', dockerReference: 'origin.example.com/team/app:1' }, 0],
      [{ type: 'exactRepository', dockerRepository: 'origin.example.com/team/app' }, 0],
      [{ type: 'exactReference', dockerReference: 'origin.example.com/team/app:2' }, 11],
      [{ type: 'matchRepoDigestOrExact' }, 11],
    ] as const) {
      await json(identity);
      const { exitCode: found, stderr } = await run('pull', `${name}:1`);
      assert.equal(found, exitCode, `${JSON.stringify(identity)}: ${stderr}`);
    }
  });

  it('copies nothing where something is missing that it names, although no rule needs it', async (t) => {
    const { policy, run, name, proxy } = await startImage(t);
    const requests = proxy.requests.length;
    for (const [signer, message] of Object.entries({
      '{ key: missing.pub }': /policy\.yaml:3:39: cannot read the key .*missing\.pub: there is no such file/,
      '{ key: . }': /it is no file/,
      '{ key: policy.yaml }': /policy\.yaml holds no PEM/,
      '{ trust-store: missing }': /policy\.yaml:3:\d+: .*missing/,
      '{ identity: a, issuer: b }': /certificates need a trusted root: none is named, and none is kept/,
      '{ identity-regexp: "(", issuer: b }': /is not a regular expression/,
    })) {
      await policy(`default: accept\nregistries:\n  a.example.com: { signed-by: [${signer}] }\n`);
      const { exitCode, stderr } = await run('pull', `${name}:1`);
      assert.equal(exitCode, 2, `${signer}: ${stderr}`);
      assert.match(stderr, message);
    }
    await policy('default: accept\nregistries:\n  a.io: { signed-by: [{ key: team.pub }], attested: [nothing] }\n');
    const typeless = await run('pull', `${name}:1`);
    assert.deepEqual([typeless.exitCode, /"nothing" is no type of attestation/.test(typeless.stderr)], [2, true]);
    assert.equal(proxy.requests.length, requests);
  });

  it('is explained by verify --policy and by doctor', async (t) => {
    const { registry, demand, name, run } = await startImage(t);
    await demand('{ signed-by: [{ key: team.pub }] }');
    const refused = await run('verify', `${name}:1`);
    assert.deepEqual([refused.exitCode, /has no signature/.test(refused.stderr)], [11, true], refused.stderr);
    const doctored = await run('doctor', `${name}:1`);
    assert.equal(doctored.exitCode, 11, doctored.stdout);
    assert.match(doctored.stdout, /problem +pull +would fail: .* does not comply with the policy \(policy\.yaml:3:3/);
    await sign(registry, image);
    const verified = await run('verify', `${name}:1`);
    const by = /complies with the policy \(policy\.yaml:3:3, the rule for .*\): signed by .*team\.pub/;
    assert.deepEqual([verified.exitCode, by.test(verified.stdout)], [0, true], verified.stdout + verified.stderr);
    assert.match((await run('doctor', `${name}:1`)).stdout.replace(/\s+/g, ' '), by);
    const beside = await run('verify', '--key', 'team.pub', `${name}:1`);
    assert.deepEqual([beside.exitCode, /conflicting options/.test(beside.stderr)], [2, true]);
  });
});
