/** The output of inspect for people. All text from a registry goes through {@link visible}. */

import { shortDigest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { ImageConfig } from '../../model/manifest/image-config.ts';
import type { Manifest, ManifestView } from '../../model/manifest/manifest.ts';
import { isIndexType } from '../../model/manifest/media-types.ts';
import { describePlatform, formatPlatform } from '../../model/platform/platform.ts';
import { isAttestation } from '../../model/platform/platform-selection.ts';
import { visible } from '../../model/quote.ts';
import { formatAge, formatBytes, formatTable } from '../../terminal/format.ts';
import { fitting, widthFor } from '../../terminal/width.ts';
import type { IndexEntry } from './gather.ts';
import { layersOf, sizeOf, stepsOf } from './layers.ts';

interface RenderedImage {
  /** The familiar name. */
  readonly name: string;
  readonly root: Manifest;
  readonly entries: readonly IndexEntry[];
  /** Absent if the index has none for this machine. */
  readonly image: Manifest | undefined;
  /** The reason why there is none. */
  readonly missing?: string | undefined;
  readonly config: ImageConfig | undefined;
}

interface RenderOptions {
  readonly now: Date;
  /** History lines are cut at this width. */
  readonly columns: number;
}

/** A label and the lines beside it; a fact without lines is left out. */
type Fact = readonly [label: string, ...lines: (string | undefined)[]];

export async function renderImage(
  { name, root, entries, image, missing, config }: RenderedImage,
  options: RenderOptions,
): Promise<string> {
  const isIndex = root.view.kind === 'index';
  const parts = [
    await facts([
      ['Name', name],
      ['Digest', root.descriptor.digest],
      ['Media type', root.mediaType],
      ...aboutView(root.view),
    ]),
  ];
  if (isIndex) parts.push(`Platforms:\n${indented(await formatTable(entryRows(entries, image, 0)))}`);
  if (image && isIndex) {
    parts.push(
      `Image:\n${indented(await facts([['Digest', image.descriptor.digest], ['Media type', image.mediaType], ...aboutView(image.view)]))}`,
    );
  }
  if (missing !== undefined) parts.push(`${visible(missing)}\n`);
  if (image && config) parts.push(`Config:\n${indented(await facts(aboutConfig(config, options.now)))}`);
  if (image && config) parts.push(await layerTable(image.view, config, options.columns));
  else if (image) parts.push(...(await blobTable(image.view)));
  return parts.join('\n');
}

const kinds: Readonly<Record<ManifestView['kind'], string | undefined>> = {
  image: undefined,
  index: undefined,
  artifact: 'artifact manifest, withdrawn before OCI 1.1',
  schema1: "image in Docker's format schema 1, which Docker and most registries no longer support",
  other: 'a type that ocictl does not know; inspect --raw prints it',
};

function aboutView(view: ManifestView): readonly Fact[] {
  return [
    ['Kind', kinds[view.kind]],
    ['Artifact type', view.artifactType],
    ['Subject', view.subject?.digest],
    ['Annotations', ...pairs(Object.entries(view.annotations))],
  ];
}

function aboutConfig(config: ImageConfig, now: Date): readonly Fact[] {
  const { os, osVersion, architecture, variant, created } = config;
  const platform = { os, architecture, ...(variant !== '' && { variant }), ...(osVersion !== '' && { osVersion }) };
  return [
    ['Created', created && `${created} (${formatAge(new Date(created), now)})`],
    ['Platform', describePlatform(platform)],
    ['Author', config.author],
    ['Entrypoint', config.entrypoint && JSON.stringify(config.entrypoint)],
    ['Cmd', config.cmd && JSON.stringify(config.cmd)],
    ['User', config.user],
    ['Working dir', config.workingDir],
    ['Env', ...(config.env ?? [])],
    ['Ports', ...(config.exposedPorts ?? [])],
    ['Volumes', ...(config.volumes ?? [])],
    ['Stop signal', config.stopSignal],
    ['Labels', ...pairs([...(config.labels ?? [])])],
  ];
}

function pairs(entries: readonly (readonly [string, string])[]): string[] {
  return entries.map(([key, text]) => `${key}=${text}`);
}

function entryRows(entries: readonly IndexEntry[], image: Manifest | undefined, depth: number): string[][] {
  return entries.flatMap(({ descriptor, attestations, inner, present }) => {
    const note = present ? (descriptor.digest === image?.descriptor.digest ? '(shown below)' : '') : '(not here)';
    const row = (label: string, { digest, size }: Descriptor, deeper: number, more = ''): string[] => [
      '  '.repeat(depth + deeper) + visible(label),
      digest,
      `${formatBytes(size)} manifest`,
      more,
    ];
    return [
      row(entryLabel(descriptor), descriptor, 0, note),
      ...attestations.map((entry) => row(entry.annotations?.['vnd.docker.reference.type'] ?? 'attestation', entry, 1)),
      ...entryRows(inner, image, depth + 1),
    ];
  });
}

function entryLabel(entry: Descriptor): string {
  if (isAttestation(entry)) return entry.annotations?.['vnd.docker.reference.type'] ?? 'attestation';
  if (isIndexType(entry.mediaType)) return entry.platform ? `index for ${formatPlatform(entry.platform)}` : 'index';
  return entry.platform ? formatPlatform(entry.platform) : (entry.artifactType ?? 'no platform');
}

async function layerTable(view: ManifestView, config: ImageConfig, columns: number): Promise<string> {
  const layers = layersOf(view);
  const rows = stepsOf(layers, config.history).map(({ layer, line }) => [
    layer ? shortDigest(layer.digest) : '',
    layer ? formatBytes(layer.size) : '',
    layer ? packing(layer.mediaType) : '',
    line ? stepText(line.createdBy || line.comment) : '',
  ]);
  const lines = (await formatTable(rows)).split('\n');
  const width = await widthFor(lines);
  const table = lines.map((line) => fitting(line, columns - 2, width)).join('\n');
  return `Layers: ${layers.length}, with the config ${formatBytes(sizeOf(view))}\n${indented(table)}`;
}

async function blobTable(view: ManifestView): Promise<string[]> {
  if (view.kind !== 'image' && view.kind !== 'artifact') return [];
  const row = (label: string, { mediaType, digest, size, annotations }: Descriptor): string[] => [
    label,
    digest,
    formatBytes(size),
    visible(mediaType),
    visible(annotations?.['org.opencontainers.image.title'] ?? ''),
  ];
  const rows = [
    ...(view.kind === 'image' ? [row('config', view.config)] : []),
    ...layersOf(view).map((blob, i) => row(`blob ${i + 1}`, blob)),
  ];
  return [`Blobs: ${formatBytes(sizeOf(view))}\n${indented(await formatTable(rows))}`];
}

/** The compression of a layer, if its type names it. */
function packing(mediaType: string): string {
  const ending = /[.+](gzip|zstd|tar|encrypted)$/.exec(mediaType)?.[1];
  return ending ?? visible(mediaType);
}

/** `RUN apt-get …`: a history line without the shell that it begins with. */
function stepText(text: string): string {
  const words = text.replace(/\s+/g, ' ').trim();
  return visible(words.replace(/^\/bin\/sh -c #\(nop\) +/, '').replace(/^\/bin\/sh -c /, 'RUN '));
}

async function facts(all: readonly Fact[]): Promise<string> {
  const rows = all.flatMap(([label, ...lines]) =>
    lines
      .filter((line) => line !== undefined && line !== '')
      .map((line, i) => [i === 0 ? `${label}:` : '', visible(line ?? '')]),
  );
  return formatTable(rows);
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
