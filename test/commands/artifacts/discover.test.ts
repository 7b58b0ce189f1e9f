import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { digestTagsOf } from '../../../src/model/reference/digest-tag.ts';
import { fallbackTag } from '../../../src/registry/referrers.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import {
  type Built,
  buildArtifact,
  buildAttestation,
  buildImage,
  buildIndex,
  pushImage,
} from '../../support/images.ts';
import { manifestsOnly } from '../../support/network/manifests-only.ts';
import { app, one, startPlace } from '../copy/places.ts';

/** An index with an SBOM that is signed, a scan of one image, a cosign signature and an attestation of the other. */
async function fill(registry: Registry) {
  const images = await Promise.all(
    ['linux/amd64', 'linux/arm64', 'linux/s390x'].map((platform) =>
      buildImage({ platform: parsePlatform(platform), layers: [{ files: { platform } }] }),
    ),
  );
  const [amd64, arm64] = images;
  assert.ok(amd64 && arm64);
  const attestation = await buildAttestation(amd64);
  const index = await buildIndex([...images, attestation]);
  const sbom = await buildArtifact({ artifactType: 'a/sbom', subject: index.descriptor });
  const signature = await buildArtifact({ artifactType: 'a/signature', subject: sbom.descriptor });
  const scan = await buildArtifact({ artifactType: 'a/scan', subject: arm64.descriptor });
  const cosign = await buildArtifact({ artifactType: 'a/cosign' });
  await pushImage(registry, app, one, index);
  for (const built of [sbom, signature, scan]) await pushImage(registry, app, undefined, built);
  const [tag = one] = digestTagsOf(amd64.descriptor.digest);
  await pushImage(registry, app, tag, cosign);
  return { index, amd64, arm64, attestation, sbom, signature, scan, cosign, tag };
}

async function run(t: TestContext, ...words: readonly string[]) {
  return ocictl(t, ['discover', ...words]);
}

const digestOf = ({ descriptor }: Built): string => descriptor.digest;

describe('ocictl discover', () => {
  it('prints a tree of what is attached, also to the images of an index', async (t) => {
    const place = await startPlace(t);
    const it = await fill(place.registry);
    const name = `${place.host}/team/app:1`;
    const { stdout, stderr, exitCode } = await run(t, name);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(stdout.replaceAll('├── ', '|-- ').replaceAll('└── ', '`-- ').replaceAll('│', '|').split('\n'), [
      `${name}  ${digestOf(it.index)}`,
      `|-- a/sbom  ${digestOf(it.sbom)}`,
      `|   \`-- a/signature  ${digestOf(it.signature)}`,
      `|-- linux/amd64  ${digestOf(it.amd64)}`,
      `|   |-- attestation  ${digestOf(it.attestation)}`,
      `|   \`-- ${it.tag}  ${digestOf(it.cosign)}`,
      `\`-- linux/arm64  ${digestOf(it.arm64)}`,
      `    \`-- a/scan  ${digestOf(it.scan)}`,
      '',
    ]);
  });

  it('prints one document with nested referrers, for chosen types, levels and platforms, or by a template', async (t) => {
    const place = await startPlace(t);
    const it = await fill(place.registry);
    const name = `${place.host}/team/app:1`;
    const whole = await run(t, '--json', name);
    const { referrers, ...root } = JSON.parse(whole.stdout);
    const { mediaType, digest, size } = it.index.descriptor;
    assert.deepEqual(root, { reference: `${place.host}/team/app@${digest}`, mediaType, digest, size });
    assert.equal(referrers.length, 3);
    assert.deepEqual([referrers[0].artifactType, referrers[0].kind], ['a/sbom', 'referrer']);
    assert.equal(referrers[0].referrers[0].digest, digestOf(it.signature));
    assert.deepEqual([referrers[1].kind, referrers[1].platform], ['child', 'linux/amd64']);

    const types = await run(t, '--format', 'json', '--artifact-type', 'a/signature', '--artifact-type', 'a/scan', name);
    assert.deepEqual(namesIn(JSON.parse(types.stdout)), [
      digestOf(it.sbom),
      digestOf(it.signature),
      digestOf(it.arm64),
      digestOf(it.scan),
    ]);
    const shallow = await run(t, '--json', '--depth', '1', '--artifact-type', 'a/signature', name);
    assert.deepEqual(namesIn(JSON.parse(shallow.stdout)), []);
    const platform = await run(t, '--json', '--platform', 'linux/amd64', name);
    assert.deepEqual(
      namesIn(JSON.parse(platform.stdout)).sort(),
      [digestOf(it.attestation), digestOf(it.cosign)].sort(),
    );
    const template = await run(t, '--format', '{{range .referrers}}{{.kind}} {{end}}', name);
    assert.equal(template.stdout, 'referrer child child \n');
    assert.equal((await run(t, '--json', '--format', '{{.digest}}', name)).exitCode, 2);
    assert.equal((await run(t, '--format', '{{.nothing}}', name)).exitCode, 2);
    assert.equal((await run(t, '--depth', '-1', name)).exitCode, 2);
    assert.equal((await run(t, `${place.host}/team/app:none`)).exitCode, 3);
  });

  it('prints a tree of many levels as JSON, and in colours on a terminal that shows them', async (t) => {
    const place = await startPlace(t);
    const levels = 25;
    let last: Built = await buildImage({ layers: [] });
    await pushImage(place.registry, app, one, last);
    const wanted: string[] = [];
    for (let level = 1; level <= levels; level += 1) {
      last = await buildArtifact({ artifactType: 'a/level', subject: last.descriptor });
      await pushImage(place.registry, app, undefined, last);
      wanted.push(digestOf(last));
    }
    const name = `${place.host}/team/app:1`;
    const { stdout, stderr } = await run(t, '--json', name);
    assert.deepEqual(namesIn(JSON.parse(stdout)), wanted, stderr);
    const plain = await run(t, name);
    assert.equal(plain.stdout.split('\n').length, levels + 2);
    const onTerminal = (env: Readonly<Record<string, string>>) => ocictl(t, ['discover', name], { tty: true, env });
    const painted = await onTerminal({ NO_COLOR: '' });
    assert.match(painted.stdout, new RegExp(`\u001b\\[2m${digestOf(last)}\u001b\\[22m`));
    const long = await buildArtifact({ artifactType: `a/${'x'.repeat(5000)}`, subject: last.descriptor });
    await pushImage(place.registry, app, undefined, long);
    assert.match((await run(t, name)).stdout, new RegExp(`a/x{198}…  ${digestOf(long)}`));
    const unpainted = await onTerminal({ NO_COLOR: '1' });
    assert.equal(unpainted.stdout.includes('\u001b[2m'), false);
  });

  it('says the same of a layout, an archive and the local store', async (t) => {
    const place = await startPlace(t);
    await fill(place.registry);
    const name = `${place.host}/team/app:1`;
    const wanted = namesIn(JSON.parse((await run(t, '--json', name)).stdout)).sort();
    for (const to of ['oci:dir:1', 'oci-archive:file.tar:1', 'store:example.com/app:1']) {
      const copied = await ocictl(t, ['copy', '--referrers', '--digest-tags', name, to]);
      assert.equal(copied.exitCode, 0, copied.stderr);
      const { stdout, stderr } = await run(t, '--json', to);
      assert.deepEqual(namesIn(JSON.parse(stdout)).sort(), wanted, `${to}: ${stderr}`);
    }
  });

  it('lists nothing where GitLab shows the image at the fallback tag, and fails where a list is refused', async (t) => {
    const image = await buildImage({ layers: [] });
    const tags = { 1: image, [fallbackTag(image.descriptor.digest)]: image };
    const answer = manifestsOnly([image], tags);
    let status = 0;
    const { host } = await startFakeServer(t, (request, response, incoming) => {
      if (/\/v2\/$/.test(request.path)) return response.writeHead(200).end();
      if (status > 0 && request.path.includes('/referrers/')) {
        return response.writeHead(status, status === 429 ? { 'retry-after': '600' } : {}).end();
      }
      return answer(request, response, incoming);
    });
    const { stdout, stderr } = await run(t, `${host}/team/app:1`);
    assert.equal(stdout, `${host}/team/app:1  ${digestOf(image)}\n`, stderr);
    for (const [refusal, exit] of [
      [429, 6],
      [403, 4],
      [500, 5],
    ] as const) {
      status = refusal;
      const failed = await run(t, `${host}/team/app:1`);
      assert.deepEqual([failed.stdout, failed.exitCode], ['', exit], failed.stderr);
    }
  });

  it('is named where oras, regctl and cosign have another word for it', async (t) => {
    for (const words of [['artifact', 'tree'], ['artifact', 'list'], ['tree']]) {
      const { stderr, exitCode } = await ocictl(t, [...words, 'alpine']);
      assert.deepEqual([exitCode, /ocictl discover lists what is attached/.test(stderr)], [2, true], stderr);
    }
  });
});

interface Listed {
  readonly digest: string;
  readonly referrers: readonly Listed[];
}

/** The digests of what hangs below, parents first. */
function namesIn({ referrers }: Listed): string[] {
  return referrers.flatMap((each) => [each.digest, ...namesIn(each)]);
}
