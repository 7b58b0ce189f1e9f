import { isOciError, OciError } from '../model/errors.ts';
import type { Platform } from '../model/platform/platform.ts';
import {
  defaultTag,
  familiarName,
  familiarReference,
  formatReference,
  manifestReference,
  parseReference,
  type Reference,
  type Tag,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import { type Place, type PlaceKind, type PlaceSources, plainPlace, refuseDigestTarget } from './place.ts';

const prefix = 'docker-daemon:';

/** Images of a Docker daemon, by name or by image ID. */
export const dockerDaemonKind: PlaceKind = {
  prefix,
  help: {
    image: 'docker-daemon:NAME for an image of the Docker daemon',
    repository: 'the Docker daemon (docker-daemon:NAME)',
    side: 'the Docker daemon (docker-daemon:NAME[:TAG])',
  },
  insteadOfName: 'ocictl copy reads and writes images of the Docker daemon',
  incomplete: 'never',
  own: true,
  converts: true,
  hasRepository: true,
  async open(rest, role, sources) {
    if (role === 'removal') {
      throw new OciError('USAGE', `${prefix}${rest} is in the Docker daemon, which removes its images itself`, {
        hint: `docker rmi ${rest}`,
      });
    }
    if (role === 'source' && imageId.test(rest)) return openId(rest, sources);
    const written = parseReference(rest);
    const reference = withDefaultTag(written);
    refuseDigestTarget(`${prefix}${rest}`, reference.digest, role);
    const named = written.tag !== undefined || written.digest !== undefined;
    return role === 'destination' ? openToWrite(reference, named, sources) : openToRead(reference, named, sources);
  },
};

/** What may be an image ID, or the beginning of one. A name can look so too. */
const imageId = /^(?:sha256:)?[0-9a-f]{4,64}$/;

async function openToRead(reference: Reference, named: boolean, sources: PlaceSources): Promise<Place> {
  const { openDaemonReader } = await import('../daemon/open.ts');
  const daemon = openDaemonReader(await sources.dockerDaemon(), sources.note);
  return placeOf(reference, { registry: daemon.registry, named, dispose: async () => daemon[Symbol.asyncDispose]() });
}

async function openId(id: string, sources: PlaceSources): Promise<Place> {
  const { openDaemonReader } = await import('../daemon/open.ts');
  const daemon = openDaemonReader(await sources.dockerDaemon(), sources.note);
  const dispose = async (): Promise<void> => daemon[Symbol.asyncDispose]();
  try {
    const { names, root } = await daemon.find(id, { signal: sources.signal });
    const { registry } = daemon;
    const named = names.find((each) => familiarName(each) === id && each.tag === defaultTag);
    if (named !== undefined) return placeOf(named, { registry, named: false, dispose });
    const { domain, path } = names[0] ?? parseReference('image');
    return placeOf({ domain, path, digest: root }, { registry, named: true, shown: id, dispose });
  } catch (error) {
    await dispose();
    throw noSuchImage(error, id);
  }
}

async function openToWrite(reference: Reference, named: boolean, sources: PlaceSources): Promise<Place> {
  const [{ openDaemonWriter }, { parseLayoutName }] = await Promise.all([
    import('../daemon/open.ts'),
    import('../layout/layout.ts'),
  ]);
  const { signal } = sources;
  const daemon = await openDaemonWriter(await sources.dockerDaemon(), { signal });
  return placeOf(reference, {
    registry: daemon.registry,
    named,
    // In an archive, an image has its full name.
    writtenAs: (wanted) => parseLayoutName(formatReference(wanted)),
    platform: daemon.platform,
    finish: () => daemon.finish({ signal }),
    dispose: async () => daemon[Symbol.asyncDispose](),
  });
}

interface OpenDaemon {
  readonly registry: Registry;
  readonly named: boolean;
  /** The word as written, if it is not a name. */
  readonly shown?: string;
  readonly writtenAs?: (reference: Reference) => Tag;
  readonly platform?: Platform;
  readonly finish?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

function placeOf(reference: Reference, daemon: OpenDaemon): Place {
  const { registry, named, shown = familiarReference(reference), writtenAs, platform, finish, dispose } = daemon;
  const { domain, path } = reference;
  const tag = reference.digest === undefined ? reference.tag : undefined;
  const written = writtenAs && tag !== undefined ? writtenAs(reference) : undefined;
  const fullName = `${prefix}${formatReference(reference)}`;
  return {
    ...plainPlace,
    kind: dockerDaemonKind,
    registry,
    repo: toStoreName(reference),
    reference: written ?? manifestReference(reference),
    tag: written ?? tag,
    named,
    name: `${prefix}${shown}`,
    fullName,
    identity: fullName,
    repository: `${prefix}${formatReference({ domain, path })}`,
    hosted: undefined,
    sparse: writtenAs === undefined,
    readsBack: writtenAs === undefined,
    ...(platform && { platform }),
    at: (other) => placeOf({ domain, path, tag: other }, { ...daemon, named: true }),
    explain: (error) => noSuchImage(error, shown),
    ...(finish && { finish }),
    [Symbol.asyncDispose]: dispose,
  };
}

/** Reports an image that the daemon lacks in Docker's words. */
function noSuchImage(error: unknown, name: string): unknown {
  if (!isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return error;
  return new OciError('IMAGE_UNKNOWN', `No such image in the Docker daemon: ${name}`, {
    cause: error,
    hint: error.hint ?? 'docker images lists what it has',
  });
}
