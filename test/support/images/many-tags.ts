/** Repositories whose tags have much in common, and what `copy --all-tags` sends of them to a docker-registry. */
import assert from 'node:assert/strict';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../command.ts';
import { type Built, blobsIn, buildAttestation, buildImage, buildIndex, pushImage } from '../images.ts';
import { type DockerRegistry, startDockerRegistry } from '../programs.ts';
import { startServe } from '../registries.ts';
import type { Scope } from '../sandbox.ts';
import { assertSame, servedAt } from './walk.ts';

export interface TagSet {
  readonly title: string;
  /** Tag → image. */
  readonly images: ReadonlyMap<string, Built>;
}

/** Ten tags of one image, seven images that share layers, and four tags that lead to one index. */
export async function tagSets(): Promise<readonly TagSet[]> {
  const image = await imageWith(['a', 'b', 'c', 'd']);
  const sharing = await Promise.all(Array.from({ length: 7 }, (_, i) => imageWith(['a', 'b', 'c', `own ${i}`])));
  const platforms = await Promise.all(
    ['amd64', 'arm64', 's390x'].map((name) => imageWith([`${name} 1`, `${name} 2`], `linux/${name}`)),
  );
  const attestations = await Promise.all(platforms.map((each) => buildAttestation(each)));
  const index = await buildIndex([...platforms, ...attestations]);
  const [first = index] = platforms;
  return [
    { title: 'ten tags of one image', images: new Map(Array.from({ length: 10 }, (_, i) => [`v${i}`, image])) },
    { title: 'seven that share layers', images: new Map(sharing.map((each, i) => [`v${i}`, each])) },
    {
      title: 'four that share an index',
      images: new Map([
        ['amd64', first],
        ['latest', index],
        ['more', await buildIndex([index, image])],
        ['v1', index],
      ]),
    },
  ];
}

function imageWith(layers: readonly string[], platform = 'linux/amd64'): Promise<Built> {
  return buildImage({
    platform: parsePlatform(platform),
    layers: layers.map((name) => ({ files: { [name]: name.repeat(5000) } })),
  });
}

export interface CopySetOptions {
  readonly runs: number;
  /** How many copy the same at the same time. Default 1. */
  readonly processes?: number;
}

/**
 * Copies all tags of a set, from a registry in memory to a new repository of a docker-registry in each run, and asserts that
 * all of them are there.
 *
 * @returns Uploads of blobs that ended well, and the distinct blobs there are, over all runs.
 */
export async function copySet(
  t: Scope,
  { images }: TagSet,
  { runs, processes = 1 }: CopySetOptions,
): Promise<{ readonly uploads: number; readonly blobs: number }> {
  const source = await startServe(t);
  await pushAll(source.registry, images);
  const target = await startDockerRegistry(t, { accessLog: true });
  for (let run = 0; run < runs; run += 1) {
    const repository = `run${run}`;
    const words = ['copy', '--all-tags', `${source.host}/team/app`, `${target.host}/${repository}`];
    const copies = await Promise.all(Array.from({ length: processes }, () => ocictl(t, words)));
    for (const { exitCode, stderr } of copies) {
      assert.equal(exitCode, 0, `run ${run}: ${stderr}`);
      assert.doesNotMatch(stderr, /Warning/);
    }
    for (const [tag, built] of images) await assertSame(servedAt(target.url, repository), tag, built);
  }
  return { uploads: uploadsTo(target), blobs: runs * distinctBlobs(images) };
}

async function pushAll(registry: Registry, images: TagSet['images']): Promise<void> {
  for (const [tag, built] of images) await pushImage(registry, parseRepositoryName('team/app'), parseTag(tag), built);
}

function distinctBlobs(images: TagSet['images']): number {
  const all = [...images.values()].flatMap(blobsIn);
  return new Set(all.map(({ descriptor }) => descriptor.digest)).size;
}

/** A session ends with PUT, and what is mounted or was there needs none. */
function uploadsTo(target: DockerRegistry): number {
  const isUpload = /\/blobs\/uploads\//;
  return target
    .requests()
    .filter(({ method, path, status }) => method === 'PUT' && isUpload.test(path) && status === 201).length;
}
