/**
 * Signatures and attestations under the tag `sha256-<hex>.sig` or `.att`, each a layer of one manifest.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md#storage
 */
import { OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { digestTag } from '../../model/reference/digest-tag.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { signatureAnnotation } from '../formats/simple-signing.ts';
import { storeBlob } from './blobs.ts';
import { maxRounds, type SignRequest, type WrittenSignature } from './written.ts';

/** What is added to the layers under a tag. */
interface Addition {
  readonly suffix: 'sig' | 'att';
  /** Of all layers there. */
  readonly mediaType: string;
  /** Whether a layer that is there is what would be added. */
  readonly isEqual: (layer: Descriptor) => Promise<boolean>;
  /** Makes and stores what is added. */
  readonly store: () => Promise<Descriptor>;
  /** Whether it takes the place of a layer that is there. Default: of none. */
  readonly replaces?: ((layer: Descriptor) => Promise<boolean>) | undefined;
}

/**
 * Adds a layer to those under a tag. What others write there meanwhile stays: the tag is read again after it was written, and
 * written again if the layer is missing.
 *
 * @throws OciError REFUSED if the tag holds something else; UNAVAILABLE if others overwrite it without end
 */
export async function addLayer(request: SignRequest, addition: Addition): Promise<WrittenSignature> {
  const { registry, repo, subject, signal } = request;
  const { suffix, isEqual, store, replaces } = addition;
  const tag = digestTag(subject.digest, suffix);
  let layer: Descriptor | undefined;
  let [added, replaced] = [false, 0];
  for (let round = 0; round < maxRounds; round += 1) {
    const before = layersOf(await unlessUnknown(registry.getManifest(repo, tag, { signal })), tag, addition);
    layer ??= await findAsync(before, isEqual);
    if (!layer) [layer, added] = [await store(), true];
    const stays: Descriptor[] = [];
    for (const one of before) if (isSame(one, layer) || !(await replaces?.(one))) stays.push(one);
    const after = stays.some((one) => isSame(one, layer as Descriptor)) ? stays : [...stays, layer];
    if (after.length === before.length && stays.length === before.length) {
      return { form: 'tag', at: tag, added, ...(replaces && { replaced }) };
    }
    replaced += before.length - stays.length;
    await registry.pushManifest(repo, await writeManifest(request, after), { tags: [tag], signal });
  }
  throw new OciError('UNAVAILABLE', `${tag} is overwritten by others again and again`, { hint: 'sign again later' });
}

async function findAsync<T>(items: readonly T[], matches: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await matches(item)) return item;
  return undefined;
}

/** @throws OciError REFUSED for what is something else: it would be lost. */
function layersOf(
  manifest: Manifest | undefined,
  tag: Tag,
  { suffix, mediaType: type }: Addition,
): readonly Descriptor[] {
  if (!manifest) return [];
  const { view } = manifest;
  if (view.kind === 'image' && view.layers.every(({ mediaType }) => mediaType === type)) return view.layers;
  const what = suffix === 'sig' ? 'signatures' : 'attestations';
  throw new OciError('REFUSED', `the tag ${tag} holds something else than ${what}`, {
    hint: 'look at it with ocictl manifest get; --signature-format bundle does without the tag',
  });
}

function isSame(one: Descriptor, { digest, annotations }: Descriptor): boolean {
  return one.digest === digest && one.annotations?.[signatureAnnotation] === annotations?.[signatureAnnotation];
}

/** With the config of an image, as cosign writes it: registries without artifacts take it too. */
async function writeManifest(request: SignRequest, layers: readonly Descriptor[]) {
  const config = {
    architecture: '',
    created: '0001-01-01T00:00:00Z',
    history: layers.map(() => ({ created: '0001-01-01T00:00:00Z' })),
    os: '',
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    config: {},
  };
  const { ociManifest: mediaType, ociConfig } = mediaTypes;
  const stored = await storeBlob(request, ociConfig, Buffer.from(JSON.stringify(config)));
  const document = { schemaVersion: 2, mediaType, config: stored, layers };
  return { mediaType, bytes: Buffer.from(JSON.stringify(document)) };
}
