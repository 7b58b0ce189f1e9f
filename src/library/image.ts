/** Opens an image, to look inside it. */

import { exportTar } from '../image/export.ts';
import { ImageFiles } from '../image/image-files.ts';
import { openLayer } from '../image/layer.ts';
import { ImageLayers } from '../image/layers/image-layers.ts';
import type { EntryType, FileTime, TarEntry } from '../image/tar/entry.ts';
import { pathOf, type TreeNode } from '../image/tree/node.ts';
import { walk } from '../image/tree/walk.ts';
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hasImageConfig, type ImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import type { ImageView, Manifest } from '../model/manifest/manifest.ts';
import { hostPlatform, parsePlatform } from '../model/platform/platform.ts';
import { quote } from '../model/quote.ts';
import { type Place, readFrom } from '../places/place.ts';
import { readConfig } from '../registry/config.ts';
import { judgeNow } from '../transfer/plan/judge-now.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';
import { openSource, type PolicyOption } from './source.ts';

/** Which image is opened. */
export interface OpenImageOptions extends CallOptions, PolicyOption {
  /** Of an index, the image for this platform: `linux/arm64`. Default: that of this machine. */
  readonly platform?: string | undefined;
}

/** A file in an image: in all layers together, as a container would see it. */
export interface ImageFile {
  /**
   * From the root, with a slash before it. A byte that is no UTF-8 is the lone surrogate U+DC80 to U+DCFF; `Buffer.from(path)` is then not
   * the name that is stored.
   */
  readonly path: string;
  /** `link` is a hard link whose file the image does not have; other hard links are files. */
  readonly type: EntryType;
  /** Permissions, with set-user-ID, set-group-ID and sticky bit. */
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number;
  /** The group's number. */
  readonly gid: number;
  /** When its content changed last. */
  readonly mtime: FileTime;
  /** In bytes; 0 for what is no file. */
  readonly size: number;
  /** Where a link leads; else empty. */
  readonly linkname: string;
  /** By their full names: `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** The layer that named it last, from 1, the lowest. */
  readonly layer: number;
}

/** A layer of an image. */
export interface ImageLayer {
  /** As the manifest has it. */
  readonly descriptor: Descriptor;
  /** Its entries in their order, with whiteouts, each with its content while it is the latest. Every call reads the layer. */
  entries(): AsyncIterable<LayerItem>;
}

/** An entry of a layer. */
export interface LayerItem {
  /** What the layer says of it. */
  readonly entry: TarEntry;
  /** Its bytes. They can be read once, and until the next entry is asked for. */
  content(): AsyncIterable<Uint8Array>;
}

/** An open image. Disposing it closes what it holds. */
export interface OpenedImage extends AsyncDisposable {
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** Of the image itself, also where an index was named. */
  readonly manifest: Manifest;
  /** The lowest first. */
  readonly layers: readonly ImageLayer[];
  /** Its config. @throws OciError MANIFEST_INVALID */
  config(): Promise<ImageConfig>;
  /**
   * What a directory holds, with all below it, in the order of bytes; of a file, the file. All layers are read once.
   *
   * @param path Followed inside the image. Default: the root.
   * @throws OciError FILE_UNKNOWN; ARCHIVE_INVALID, TOO_LARGE for layers that are damaged or hostile.
   */
  files(path?: string): AsyncIterable<ImageFile>;
  /**
   * The bytes of a file. Layers are read from the highest down, as few as are needed.
   *
   * @throws OciError FILE_UNKNOWN; USAGE for what is no file; as {@link OpenedImage.files}
   */
  read(path: string): AsyncIterable<Uint8Array>;
  /** The file system as a tar archive, the same bytes for the same image. @throws OciError as {@link OpenedImage.files} */
  export(): AsyncIterable<Uint8Array>;
}

const openShape: Shape<OpenImageOptions> = { ...callShape, platform: 'string', policy: 'string' };

/**
 * Opens an image to look inside it. Its manifest is read now, all else when it is asked for. The local cache is not used.
 *
 * @param source `alpine:3.20`, `registry.example.com/app@sha256:…`, `oci:DIR:TAG`, `store:NAME`, or another place that can be read.
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; UNSUPPORTED for what is no image; UNTRUSTED,
 *   CONFIG_INVALID by the policy; what registries throw, see {@link Registry}.
 */
export async function openImage(source: string, options: OpenImageOptions = {}): Promise<OpenedImage> {
  checkArgument('openImage', 'the source', source, 'string');
  checkCallOptions('openImage', options, openShape);
  const { signal = new AbortController().signal, platform } = options;
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const session = await openSession(options);
  let place: Place | undefined;
  try {
    const unjudged = await openSource(source, session.service, signal, options);
    place = unjudged;
    const from = await readFrom(unjudged, () => judgeNow(unjudged, { platforms: [wanted], signal }));
    const manifest = await readFrom(from, () =>
      resolveImage(from, wanted, { signal, requirePlatform: platform !== undefined }),
    );
    const { view } = manifest;
    if (view.kind !== 'image' || !hasImageConfig(view)) {
      throw new OciError('UNSUPPORTED', `${place.name} is no image: it has no file system`);
    }
    return opened(
      from,
      manifest,
      view,
      async () => {
        await from[Symbol.asyncDispose]();
        await session[Symbol.asyncDispose]();
      },
      options,
    );
  } catch (error) {
    await place?.[Symbol.asyncDispose]();
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

function opened(
  { registry, repo, name, hosted }: Place,
  manifest: Manifest,
  view: ImageView,
  close: () => Promise<void>,
  { signal, warn }: OpenImageOptions,
): OpenedImage {
  const layers = new ImageLayers({ registry, repo, layers: view.layers, reread: hosted !== undefined, signal });
  const files = new ImageFiles({ layers, name, onSkip: warn });
  return {
    digest: manifest.descriptor.digest,
    manifest,
    layers: view.layers.map((descriptor) => ({
      descriptor,
      async *entries() {
        const content = await registry.getBlob(repo, descriptor, { signal });
        try {
          yield* await openLayer(descriptor, content, { signal });
        } finally {
          await content.cancel();
        }
      },
    })),
    config: async () => readImageConfig(await readConfig(registry, repo, view.config, { signal })),
    async *files(path = '/') {
      await files.tree();
      const start = await files.find(path, { follow: true });
      const above = `/${pathOf(start)}`;
      if (!start.children) return yield fileOf(above, start);
      const before = above === '/' ? above : `${above}/`;
      for (const { path: below, node } of walk(start, { deep: true })) yield fileOf(before + below, node);
    },
    async *read(path) {
      const node = await files.find(path, { follow: true });
      const { type } = node.inode.entry;
      if (type !== 'file') throw new OciError('USAGE', `${quote(path)} in ${name} is no file, but: ${type}`);
      for await (const { reading } of files.contents([node])) yield* reading.content();
    },
    export: () => exportTar(files),
    async [Symbol.asyncDispose]() {
      layers[Symbol.dispose]();
      await close();
    },
  };
}

function fileOf(path: string, { inode, layer }: TreeNode): ImageFile {
  const { type, mode, uid, gid, mtime, size, linkname, xattrs } = inode.entry;
  return { path, type, mode, uid, gid, mtime, size, linkname, xattrs, layer: layer + 1 };
}
