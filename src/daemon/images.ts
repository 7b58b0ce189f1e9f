/** What a daemon says of its images. */
import { type Digest, tryParseDigest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import { parseReference, type Reference, withDefaultTag } from '../model/reference/reference.ts';
import type { SignalOption } from '../registry/options.ts';
import type { DaemonClient } from './client.ts';

/** An image of a daemon. */
interface DaemonImage {
  /** Docker's image ID: the digest of its config, or of its manifest where the daemon keeps those. */
  readonly id: Digest;
  /** Its names, with tags. */
  readonly names: readonly Reference[];
  /** The digests of its unpacked layers, from the lowest on. */
  readonly layers: readonly Digest[];
}

/** @param name A name, or an ID or its beginning. @throws OciError MANIFEST_UNKNOWN, PROTOCOL */
export async function inspectImage(client: DaemonClient, name: string, opts?: SignalOption): Promise<DaemonImage> {
  const found = fieldsOf(client, await client.json(`/images/${encodeURI(name)}/json`, {}, opts));
  const { Id: id, RepoTags: names, RootFS: layers } = found;
  return { id: idOf(client, id), names: namesOf(names), layers: digestsOf(recordOf(layers)['Layers']) };
}

/** All images with their names; those without names have none. @throws OciError PROTOCOL, TOO_LARGE */
export async function listDaemonImages(
  client: DaemonClient,
  opts?: SignalOption,
): Promise<readonly Omit<DaemonImage, 'layers'>[]> {
  const list = await client.json('/images/json', {}, opts);
  if (!Array.isArray(list)) throw unreadable(client);
  return list.map((entry: unknown) => {
    const { Id: id, RepoTags: names } = fieldsOf(client, entry);
    return { id: idOf(client, id), names: namesOf(names) };
  });
}

/** The platform that a daemon runs images for. */
export async function daemonPlatform(client: DaemonClient, opts?: SignalOption): Promise<Platform> {
  const { Os: os, Arch: architecture } = fieldsOf(client, await client.json('/version', {}, opts));
  if (typeof os !== 'string' || typeof architecture !== 'string') throw unreadable(client);
  return parsePlatform(`${os}/${architecture}`);
}

/** Whether it keeps images as a registry does, with their manifests: Docker with containerd's image store. */
export async function keepsManifests(client: DaemonClient, opts?: SignalOption): Promise<boolean> {
  const { DriverStatus: status } = fieldsOf(client, await client.json('/info', {}, opts));
  const pairs: readonly unknown[] = Array.isArray(status) ? status : [];
  return pairs.some((pair) => Array.isArray(pair) && pair[1] === 'io.containerd.snapshotter.v1');
}

function namesOf(value: unknown): readonly Reference[] {
  return stringsOf(value).flatMap((text) => {
    if (text.startsWith('<none>')) return [];
    try {
      return [withDefaultTag(parseReference(text))];
    } catch {
      return []; // podman has names that Docker has not
    }
  });
}

function digestsOf(value: unknown): readonly Digest[] {
  return stringsOf(value).flatMap((text) => tryParseDigest(text) ?? []);
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function idOf(client: DaemonClient, value: unknown): Digest {
  const digest = typeof value === 'string' ? tryParseDigest(value) : undefined;
  if (digest === undefined) throw unreadable(client);
  return digest;
}

function fieldsOf(client: DaemonClient, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable(client);
  return value as Record<string, unknown>;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function unreadable({ name }: DaemonClient): OciError {
  return new OciError('PROTOCOL', `${name} answers with something that is no description of an image`);
}
