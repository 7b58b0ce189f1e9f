/** Manifests in another format: other media types, nothing else. The bytes of configs and layers stay. */
import { parseJsonObject } from '../model/json-fields.ts';
import type { Manifest, RawManifest } from '../model/manifest/manifest.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import { type ImageFormat, layerForm, layerType } from './layer-types.ts';

type Document = Readonly<Record<string, unknown>>;

const typesOf = {
  oci: { image: mediaTypes.ociManifest, index: mediaTypes.ociIndex, config: mediaTypes.ociConfig },
  docker: { image: mediaTypes.dockerManifest, index: mediaTypes.dockerList, config: mediaTypes.dockerConfig },
} as const;

/**
 * An image or index with the media types of a format; undefined if it has them, or is something else. Docker's format has
 * no room for embedded data, which is left out: it repeats what a blob holds.
 */
export function inFormat({ mediaType, bytes, view }: Manifest, format: ImageFormat): RawManifest | undefined {
  if (view.kind !== 'image' && view.kind !== 'index') return undefined;
  const type = typesOf[format][view.kind];
  const document = parseJsonObject(bytes);
  const changed: Record<string, unknown> = { ...document, mediaType: type };
  if (view.kind === 'image') {
    changed['config'] = entryWith(document['config'], (old) => configType(old, format), format);
    const layers: unknown = document['layers'];
    if (Array.isArray(layers)) {
      changed['layers'] = layers.map((layer) => entryWith(layer, (old) => typeIn(old, format), format));
    }
  }
  if (format === 'docker') Reflect.deleteProperty(changed, 'annotations');
  const text = JSON.stringify(changed);
  if (mediaType === type && text === JSON.stringify(document)) return undefined;
  return { mediaType: type, bytes: Buffer.from(text) };
}

function entryWith(entry: unknown, typeOf: (old: string) => string, format: ImageFormat): unknown {
  if (typeof entry !== 'object' || entry === null) return entry;
  const fields: Record<string, unknown> = { ...(entry as Document) };
  // What they hold was refused, if they hold anything.
  if (format === 'docker') for (const name of ['annotations', 'data']) Reflect.deleteProperty(fields, name);
  return { ...fields, mediaType: typeOf(String(fields['mediaType'])) };
}

/** The config's type, if it is that of an image: an artifact's stays. */
function configType(old: string, format: ImageFormat): string {
  const isImage = old === mediaTypes.ociConfig || old === mediaTypes.dockerConfig;
  return isImage ? typesOf[format].config : old;
}

function typeIn(old: string, format: ImageFormat): string {
  const form = layerForm(old);
  return (form && layerType({ ...form, format })) ?? old;
}
