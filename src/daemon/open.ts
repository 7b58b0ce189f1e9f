/** Opens a Docker daemon to read images of it, or to write to it. */
import { openSingleImage } from '../archive/single-image.ts';
import { createWriteOnly } from '../archive/write/write-only.ts';
import type { DaemonEndpoint } from '../config/docker/daemon-endpoint.ts';
import { unlessUnknown } from '../model/errors.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import type { Platform } from '../model/platform/platform.ts';
import { familiarReference, isDigestReference, parseReference } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { createDaemonClient, type DaemonClient } from './client.ts';
import { daemonPlatform, inspectImage, keepsManifests } from './images.ts';
import { createLoadReceiver } from './load-receiver.ts';
import { createDaemonRegistry, type DaemonRegistry } from './registry.ts';

export type { DaemonEndpoint } from '../config/docker/daemon-endpoint.ts';

/**
 * Nothing is sent before something is read.
 *
 * @param note Told once if the daemon keeps no manifests, so that those of its exports are new.
 */
export function openDaemonReader(endpoint: DaemonEndpoint, note: (text: string) => void): DaemonRegistry {
  const client = createDaemonClient(endpoint);
  let told: Promise<void> | undefined;
  const tell = async (opts: SignalOption): Promise<void> => {
    if (!(await keepsManifests(client, opts))) {
      note(`${client.name} keeps no manifests: its images get new ones, with other digests than in their registry`);
    }
  };
  return createDaemonRegistry(client, async (id, opts) => {
    const image = await openSingleImage(`an export of ${client.name}`, await client.export(id, opts), opts);
    told ??= tell(opts);
    await told;
    return image;
  });
}

/** A daemon that images are sent to. Disposing without `finish` sends nothing. */
export interface DaemonWriter extends AsyncDisposable {
  /** The destination of a transfer. Tags are full names of images. */
  readonly registry: Registry;
  /** What the daemon runs. */
  readonly platform: Platform;
  /** Sends everything. @throws OciError UNKNOWN if the daemon refuses it; PARTLY_FAILED; NETWORK, STORAGE_* */
  finish(opts?: SignalOption): Promise<void>;
}

/** @throws OciError NETWORK, DENIED and others if the daemon cannot be asked */
export async function openDaemonWriter(endpoint: DaemonEndpoint, opts: SignalOption = {}): Promise<DaemonWriter> {
  const client = createDaemonClient(endpoint);
  const platform = await daemonPlatform(client, opts);
  const receiver = createLoadReceiver({ client, platform });
  return {
    registry: withImagesThere(createWriteOnly(client.name, receiver), client),
    platform,
    finish: (more) => receiver.finish(more),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

/**
 * Also finds what the daemon has under a name, with its image ID as digest: it may keep no manifest. By a digest nothing is
 * found there, since an archive has to be whole.
 */
function withImagesThere(registry: Registry, client: DaemonClient): Registry {
  return {
    ...registry,
    async statManifest(repo, reference, opts) {
      const pushed = registry.statManifest(repo, reference, opts);
      if (isDigestReference(reference)) return await pushed;
      const known = await unlessUnknown(pushed);
      if (known !== undefined) return known;
      const { id } = await inspectImage(client, familiarReference(parseReference(reference)), opts);
      return { mediaType: mediaTypes.ociManifest, digest: id, size: 0 };
    },
  };
}
