import { drainFile } from '../../files/file-content.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { hasImageConfig, readImageConfig } from '../../model/manifest/image-config.ts';
import { childrenOf, type ImageView } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { isAttestation } from '../../model/platform/platform-selection.ts';
import { readContent, verifiedContent } from '../../registry/content.ts';
import type { ExpectedImage } from '../../registry/expected-content.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { type ClassicImage, classicDocuments, layerPath } from './classic-documents.ts';
import { placeEntries } from './envelope.ts';
import { ExpectedImages } from './expected-images.ts';
import type { ArchiveOutput } from './output.ts';
import { type UnpackedLayer, unpackLayer } from './unpacked-layer.ts';
import type { ArchiveReceiver } from './write-only.ts';

interface ClassicOptions {
  readonly output: ArchiveOutput;
  readonly platform: Platform;
}

/** The largest config that is read, in bytes: the same limit as for a manifest. */
const maxConfigBytes = 4 * 1024 * 1024;

/**
 * Writes an archive as Docker did before version 25, with uncompressed layers. Their sizes are known only when they are
 * unpacked, so each is in a temporary file first.
 */
export function createClassicReceiver({ output, platform }: ClassicOptions): ArchiveReceiver & AsyncDisposable {
  const images = new ExpectedImages(platform);
  const configs = new Map<Digest, Uint8Array>();
  const layers = new Map<Digest, UnpackedLayer>();
  const isConfig = (digest: Digest): boolean => images.runnable.some(({ view }) => view.config.digest === digest);
  const isLayer = (digest: Digest): boolean =>
    images.runnable.some(({ view }) => view.layers.some((layer) => layer.digest === digest));
  return {
    expect(image) {
      refuseOthers(image, output.name);
      images.add(image);
    },
    complete() {},
    async blob(descriptor, source, opts) {
      const { digest } = descriptor;
      const needed = { config: isConfig(digest), layer: isLayer(digest) };
      if (needed.config) {
        const content = await verifiedContent(await source.open(0, opts));
        configs.set(digest, await readContent(content, maxConfigBytes));
      } else if (needed.layer) {
        layers.set(digest, await unpackLayer(descriptor, source, output.directory, opts));
      }
      return needed.config || needed.layer ? 'pushed' : 'exists';
    },
    async manifest() {},
    async finish(opts) {
      const saved = images.runnable.map(({ names, view }) =>
        toImage(view, { names, configs, layers, name: output.name }),
      );
      await output.finish(await assemble(saved, layers, output, opts), opts);
    },
    async [Symbol.asyncDispose]() {
      for (const layer of layers.values()) await layer[Symbol.asyncDispose]();
    },
  };
}

/** @returns The size of the archive in bytes. */
async function assemble(
  images: readonly ClassicImage[],
  unpacked: ReadonlyMap<Digest, UnpackedLayer>,
  output: ArchiveOutput,
  opts?: SignalOption,
): Promise<number> {
  const documents = classicDocuments(images);
  // Two layers that differ in their compression alone are one here.
  const layers = [...new Map([...unpacked.values()].map((layer) => [layer.diffId, layer])).values()];
  layers.sort((a, b) => (a.diffId < b.diffId ? -1 : 1));
  const { placed, totalBytes } = await placeEntries([
    ...documents.map(({ name, bytes }) => ({ name, size: bytes.length })),
    ...layers.map(({ diffId, size }) => ({ name: layerPath(diffId), size })),
  ]);
  for (const [i, { header, offset }] of placed.entries()) {
    await output.writeAt(header, offset);
    let position = offset + header.length;
    const write = async (chunk: Uint8Array): Promise<void> => {
      await output.writeAt(chunk, position);
      position += chunk.length;
    };
    const document = documents[i];
    const layer = layers[i - documents.length];
    if (document) await write(document.bytes);
    else if (layer) {
      await drainFile(layer.file.reader(layer.size), { write }, [opts?.signal]);
      // Frees its space: the archive needs no more than it and one layer.
      await layer[Symbol.asyncDispose]();
    }
  }
  return totalBytes;
}

interface Arrived {
  readonly names: ClassicImage['names'];
  readonly configs: ReadonlyMap<Digest, Uint8Array>;
  readonly layers: ReadonlyMap<Digest, UnpackedLayer>;
  /** The archive's name. */
  readonly name: string;
}

function toImage({ config, layers: wanted }: ImageView, { names, configs, layers, name }: Arrived): ClassicImage {
  const bytes = configs.get(config.digest);
  const diffIds = wanted.flatMap(({ digest }) => layers.get(digest)?.diffId ?? []);
  if (bytes === undefined || diffIds.length !== wanted.length) {
    throw new OciError('PARTLY_FAILED', `${name} was not written: an image could not be copied whole`, {
      hint: 'an archive is written whole or not at all; the reason is above',
    });
  }
  const told = readImageConfig(bytes).diffIds;
  const wrong = told.length === diffIds.length ? diffIds.findIndex((diffId, i) => diffId !== told[i]) : 0;
  if (wrong !== -1) {
    throw new OciError(
      'DIGEST_MISMATCH',
      `layer ${wanted[wrong]?.digest ?? 'of no manifest'} is not the one that its config names`,
      {
        hint: 'the image was made wrongly: Docker would refuse it',
      },
    );
  }
  return { names, config: { digest: config.digest, bytes }, diffIds };
}

/** @throws OciError UNSUPPORTED for what such an archive cannot hold. */
function refuseOthers({ root, manifests }: ExpectedImage, name: string): void {
  const refuse = (problem: string, hint: string): never => {
    throw new OciError('UNSUPPORTED', `${name} takes images as Docker runs them: ${problem}`, { hint });
  };
  if (manifests.some(({ view }) => view.subject)) {
    refuse(
      'no signatures or other things that belong to one',
      'write an OCI archive: oci-archive:FILE, or ocictl save',
    );
  }
  const top = manifests.find(({ descriptor }) => descriptor.digest === root.digest);
  if (top === undefined) return;
  const images = childrenOf(top.view).filter((entry) => !isAttestation(entry));
  if (images.length > 1) refuse('one platform of an index', 'choose it with --platform');
  if (top.view.kind === 'index' || hasImageConfig(top.view)) return;
  refuse('this is none', 'write an OCI archive: oci-archive:FILE, or ocictl save');
}
