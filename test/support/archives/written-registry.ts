/** Writes what is in a layout to an archive, a directory or a daemon, by transfers as commands make them, and reads it there. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDir } from '../../../src/archive/dir/open-dir.ts';
import { openDockerArchive } from '../../../src/archive/docker-archive.ts';
import { openOciArchive } from '../../../src/archive/oci-archive.ts';
import { createDirWriter } from '../../../src/archive/write/dir-writer.ts';
import { createArchiveWriter, openFileOutput } from '../../../src/archive/write/writer.ts';
import { openDaemonReader, openDaemonWriter } from '../../../src/daemon/open.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { parseDigest } from '../../../src/model/digest.ts';
import { unlessUnknown } from '../../../src/model/errors.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { type Manifest, readManifest } from '../../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseReference, parseTag, type Tag, toStoreName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { createBatch } from '../../../src/transfer/batch.ts';
import type { TransferRoot } from '../../../src/transfer/transfer.ts';
import { startLoadingDaemon } from '../daemon/loading-daemon.ts';
import { rawManifest } from '../images.ts';
import { buildBlob } from '../layer.ts';
import { memoryRegistry } from '../memory.ts';
import { atEnd } from '../sandbox.ts';
import type { Pack } from './archived-registry.ts';

const platform = { os: 'linux', architecture: 'amd64' };

/** What a layout holds. */
interface Staged {
  readonly layout: Registry;
  readonly manifests: readonly Manifest[];
  /** By digest. */
  readonly tags: ReadonlyMap<string, readonly Tag[]>;
  /** Also those that no manifest names: something has to carry them. */
  readonly blobs: readonly Descriptor[];
}

/** `oci-archive:`: every manifest with its tags, and an artifact that names all blobs. */
export const writeOciArchive: Pack = async (t, layout, directory, file) => {
  const staged = await readStaged(layout, directory);
  const carrier = await carrierOf(staged);
  await using writer = createArchiveWriter({ output: await openFileOutput(file), platform });
  const to = { registry: writer.registry, repo };
  const from = { registry: layout, repo, sparse: true };
  await transferAll([
    ...staged.manifests.map(({ descriptor: { digest } }) => ({
      from: { ...from, reference: digest },
      to: { ...to, tags: staged.tags.get(digest) ?? [] },
    })),
    ...(carrier ? [{ from: { ...from, ...madeHere(carrier) }, to: { ...to, tags: [] } }] : []),
  ]);
  await writer.finish();
  const { registry, close } = await openOciArchive(`oci-archive:${file}`, { file, stdin: () => process.stdin });
  atEnd(t, close);
  return registry;
};

/** `dir:` takes one root: an index of all manifests, and of the artifact that names the blobs. */
export const writeDir: Pack = async (_t, layout, directory, file) => {
  const staged = await readStaged(layout, directory);
  const carrier = await carrierOf(staged);
  const all = [...staged.manifests, ...(carrier ? [carrier] : [])];
  const index = await readManifest(
    rawManifest(mediaTypes.ociIndex, { manifests: all.map(({ descriptor }) => descriptor) }),
  );
  await using writer = await createDirWriter(`dir:${file}`, file);
  const made = { ...madeHere(index), manifests: carrier ? [index, carrier] : [index] };
  const from = { registry: layout, repo, sparse: true, ...made };
  await transferAll([{ from, to: { registry: writer.registry, repo, tags: [] } }]);
  await writer.finish();
  return (await openDir(`dir:${file}`, file)).registry;
};

/** `docker-archive:` keeps no manifests: an image whose layers are the blobs. */
export const writeDockerArchive: Pack = async (t, layout, directory, file) => {
  const from = await imageOf(await readStaged(layout, directory));
  await using writer = createArchiveWriter({ output: await openFileOutput(file), platform, format: 'docker' });
  await transferAll([{ from, to: { registry: writer.registry, repo, tags: [parseTag('blobs')] } }]);
  await writer.finish();
  const source = { file, stdin: () => process.stdin };
  const { registry, close } = await openDockerArchive(`docker-archive:${file}`, source);
  atEnd(t, close);
  return registry;
};

/** `docker-daemon:` likewise. */
export const writeDaemon: Pack = async (t, layout, directory) => {
  const from = await imageOf(await readStaged(layout, directory));
  const { endpoint } = await startLoadingDaemon(t);
  const name = 'docker.io/library/blobs:1';
  await using writer = await openDaemonWriter(endpoint);
  const to = { registry: writer.registry, repo: toStoreName(parseReference(name)) };
  await transferAll([{ from, to: { ...to, tags: [name as Tag] } }]);
  await writer.finish();
  const { registry, [Symbol.asyncDispose]: close } = openDaemonReader(endpoint, () => {});
  atEnd(t, close);
  // Blobs are found in images that were read.
  await registry.getManifest(to.repo, parseTag('1'));
  return registry;
};

async function transferAll(roots: readonly TransferRoot[]): Promise<void> {
  const batch = createBatch();
  const running = roots.map((root) => batch.transfer({ foreignLayers: 'copy', ...root }));
  batch.end();
  for (const one of await Promise.allSettled(running)) if (one.status === 'rejected') throw one.reason;
}

async function readStaged(layout: Registry, directory: string): Promise<Staged> {
  const manifests: Manifest[] = [];
  const blobs: Descriptor[] = [];
  const tags = new Map<string, Tag[]>();
  for await (const tag of layout.tags(repo)) {
    const { digest } = await layout.statManifest(repo, tag);
    tags.set(digest, [...(tags.get(digest) ?? []), tag]);
  }
  const root = join(directory, 'blobs');
  for (const algorithm of await readdir(root).catch(() => [])) {
    for (const hex of await readdir(join(root, algorithm))) {
      const digest = parseDigest(`${algorithm}:${hex}`);
      const { size } = await stat(join(root, algorithm, hex));
      blobs.push({ mediaType: mediaTypes.octetStream, digest, size });
      // Larger than any manifest, or none that can be read.
      const manifest = await unlessUnknown(layout.getManifest(repo, digest)).catch(() => undefined);
      if (manifest === undefined) continue;
      manifests.push(manifest);
      blobs.pop();
    }
  }
  return { layout, manifests, tags, blobs };
}

async function carrierOf({ blobs }: Staged): Promise<Manifest | undefined> {
  const [config] = blobs;
  return config && (await readManifest(rawManifest(mediaTypes.ociManifest, { config, layers: blobs })));
}

/** A root that the source does not have. */
function madeHere(manifest: Manifest) {
  return { reference: manifest.descriptor.digest, root: manifest.descriptor, manifests: [manifest] };
}

/** An image whose layers are the blobs, uncompressed as they are. */
async function imageOf({ layout, blobs }: Staged): Promise<TransferRoot['from']> {
  const source = memoryRegistry();
  const layers = blobs.map((blob) => ({ ...blob, mediaType: mediaTypes.ociLayer }));
  for (const layer of layers) {
    await source.pushBlob(repo, layer, { open: () => layout.getBlob(repo, layer.digest) });
  }
  const rootfs = { type: 'layers', diff_ids: layers.map(({ digest }) => digest) };
  const config = await buildBlob(JSON.stringify({ ...platform, rootfs }), mediaTypes.ociConfig);
  await source.pushBlob(repo, config.descriptor, config.source);
  const raw = rawManifest(mediaTypes.ociManifest, { config: config.descriptor, layers });
  return { registry: source, repo, reference: (await source.pushManifest(repo, raw)).digest };
}
