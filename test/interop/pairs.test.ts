/** Images of each kind, copied from each kind of place to each other, and read there without the code that wrote them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { startDocker } from '../support/docker.ts';
import {
  assertSame,
  layoutAt,
  servedAt,
  skopeoDirectoryAt,
  storeAt,
  type WalkedPlace,
} from '../support/images/walk.ts';
import { type Built, buildArtifact, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { runInside } from '../support/inside.ts';
import type { LayerSpec } from '../support/layer.ts';
import { needs, startDockerRegistry } from '../support/programs.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';

const exec = promisify(execFile);
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

interface Sample {
  readonly built: Built;
  /** What programs that know no index get; undefined if it cannot be run. */
  readonly runnable?: Built;
  /** Docker takes up to 125 layers, and 20.10 none in zstd. */
  readonly refusedByDocker?: 'always' | 'packed';
}

const layers = (compression: LayerSpec['compression'], count = 2): LayerSpec[] =>
  Array.from({ length: count }, (_, i) => ({
    files: { [`file-${i}`]: `${compression} ${i}\n` },
    ...(compression && { compression }),
  }));

async function image(of: readonly LayerSpec[], platform = architecture): Promise<Sample & { runnable: Built }> {
  const built = await buildImage({ platform: { os: 'linux', architecture: platform }, layers: of });
  return { built, runnable: built };
}

/** Images of this and other platforms; the one for this is not the first. */
async function indexOf(nested: boolean): Promise<Sample> {
  const [own, other] = [await image(layers('gzip')), await image(layers('none'), 's390x')];
  const inner = nested ? await buildIndex([own.built]) : own.built;
  return { built: await buildIndex([other.built, inner]), runnable: own.runnable };
}

const samples: Readonly<Record<string, () => Promise<Sample>>> = {
  'layers in gzip': () => image(layers('gzip')),
  'layers in zstd': async () => ({ ...(await image(layers('zstd'))), refusedByDocker: 'packed' }),
  'layers that are not compressed': () => image(layers('none')),
  'layers that are empty, and one of them twice': () => image([{ files: {} }, ...layers('gzip', 1), { files: {} }]),
  'two hundred layers, forty of them different': async () => {
    const forty = layers('gzip', 40);
    return { ...(await image([...forty, ...forty, ...forty, ...forty, ...forty])), refusedByDocker: 'always' };
  },
  'an index of two platforms': () => indexOf(false),
  'an index in an index': () => indexOf(true),
  'an artifact with a subject': async () => {
    const subject = (await image(layers('gzip'))).built.descriptor;
    return { built: await buildArtifact({ artifactType: 'application/x.example', subject }) };
  },
};

/** A kind of place. `word` names an image in it, and `read` opens that without ocictl. */
interface Kind {
  readonly word: (name: string) => string;
  readonly read?: (name: string) => Promise<WalkedPlace>;
  /** The image ID, where there are no manifests. */
  readonly idOf?: (name: string) => Promise<string>;
}

async function kindsOf(t: TestContext, registry: string, docker: Readonly<Record<string, string>>) {
  const { home, store, env } = await sandbox(t);
  const unpacked = async (name: string): Promise<string> => {
    const directory = join(home, `${name}.unpacked`);
    await mkdir(directory);
    await exec('tar', ['-xf', join(home, `${name}.tar`), '-C', directory]);
    return directory;
  };
  const kinds: Readonly<Record<string, Kind>> = {
    registry: {
      word: (name) => `${registry}/${name}:1`,
      read: async (name) => servedAt(`http://${registry}`, name),
    },
    store: { word: (name) => `store:${name}:1`, read: async (name) => storeAt(store, `${name}:1`) },
    oci: { word: (name) => `oci:${name}:1`, read: async (name) => layoutAt(join(home, name)) },
    'oci-archive': {
      word: (name) => `oci-archive:${name}.tar:1`,
      read: async (name) => layoutAt(await unpacked(name)),
    },
    dir: { word: (name) => `dir:${name}`, read: async (name) => skopeoDirectoryAt(join(home, name)) },
    'docker-archive': {
      word: (name) => `docker-archive:${name}.tar:${name}:1`,
      idOf: async (name) => {
        const directory = await unpacked(name);
        const [entry] = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as { Config: string }[];
        const { stdout } = await exec('sha256sum', [join(directory, entry?.Config ?? '')]);
        return `sha256:${stdout.slice(0, 64)}`;
      },
    },
    'docker-daemon': {
      word: (name) => `docker-daemon:${name}:1`,
      idOf: async (name) => {
        const words = ['image', 'inspect', '--format', '{{.Id}}', `${name}:1`];
        return (await exec('docker', words, { env: { ...env, ...docker } })).stdout.trim();
      },
    },
  };
  return kinds;
}

describe('an image that is copied from each kind of place to each other', () => {
  for (const [what, make] of Object.entries(samples)) {
    it(`is the same there: ${what}`, async (t) => {
      if (!needs(t, 'docker-registry', 'dockerd', 'docker')) return;
      const sample = await make();
      const { built, runnable } = sample;
      const registry = await startDockerRegistry(t);
      const docker = await startDocker(t);
      const { home, env } = await sandbox(t);
      const kinds = await kindsOf(t, registry.host, docker);
      await pushImage(openRemote(t, registry.url), parseRepositoryName('made'), parseTag('1'), built);
      const wrong: string[] = [];
      const copy = async (from: string, fromName: string, to: string, toName: string): Promise<void> => {
        const words = ['copy', kinds[from]?.word(fromName) ?? '', kinds[to]?.word(toName) ?? ''];
        // Inside this process: some hundred starts of one would take a minute.
        const { exitCode, stdout, stderr } = await runInside(words, { cwd: home, env: { ...env, ...docker } });
        try {
          assert.equal(exitCode, statusOf(sample, to, from), stderr);
          if (exitCode !== 0) return void assert.equal(stdout, '');
          const target = kinds[to];
          assert.ok(target);
          if (target.idOf) return void assert.equal(await target.idOf(toName), idOf(runnable));
          const place = (await target.read?.(toName)) ?? assert.fail();
          const kept = kinds[from]?.idOf === undefined;
          if (kept) return await assertSame(place, '1', built);
          await assertUnpacked(place, runnable);
        } catch (error) {
          wrong.push(`${from} -> ${to}: ${String(error)}`);
        }
      };
      const names = Object.keys(kinds);
      const reached = names.filter((name) => statusOf(sample, name) === 0);
      for (const to of names.slice(1)) await copy('registry', 'made', to, `in-${to}`);
      for (const from of reached.slice(1)) {
        // Docker makes 125 layers before it refuses more, so it does that once.
        const others = names.filter(
          (name) => name !== from && !(name === 'docker-daemon' && sample.refusedByDocker === 'always'),
        );
        for (const to of others) await copy(from, `in-${from}`, to, `${from}-to-${to}`);
      }
      assert.deepEqual(wrong, []);
    });
  }
});

/** The status of a copy to a kind of place, as documented. */
function statusOf({ runnable, refusedByDocker }: Sample, to: string, from?: string): number {
  if (to.startsWith('docker-') && !runnable) return 1;
  const unpacked = from === 'docker-archive';
  return to === 'docker-daemon' && (refusedByDocker === 'always' || (refusedByDocker === 'packed' && !unpacked))
    ? 5
    : 0;
}

/** The image ID of an image: the digest of its config. */
function idOf(image: Built | undefined): string | undefined {
  return image?.blobs[0]?.descriptor.digest;
}

/** Asserts that it is the same image with its layers unpacked, as Docker's formats have them. */
async function assertUnpacked(place: WalkedPlace, image: Built | undefined): Promise<void> {
  const manifest = JSON.parse(String(Buffer.from(await place.manifest('1')))) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  assert.equal(manifest.config.digest, idOf(image));
  const config = JSON.parse(String(Buffer.from(await place.blob(manifest.config.digest)))) as {
    rootfs: { diff_ids: string[] };
  };
  const digests = manifest.layers.map(({ digest }) => digest);
  assert.deepEqual(digests, config.rootfs.diff_ids);
  for (const digest of [manifest.config.digest, ...digests]) {
    const bytes = await place.blob(digest);
    assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, digest);
  }
}
