import { type Digest, tryParseDigest } from '../../model/digest.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { ImageDraft } from '../image-draft.ts';

/** Annotations that say what an image was made from. @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
const nameKey = 'org.opencontainers.image.base.name';
const digestKey = 'org.opencontainers.image.base.digest';

/** Says on which image this one is based. */
export function annotateBase(draft: ImageDraft, name: string, digest: Digest): void {
  draft.editAnnotations((annotations) => {
    annotations.set(nameKey, name);
    annotations.set(digestKey, digest);
  });
}

/** What manifests say of the base, the first that says it. */
export function saidBase(...manifests: readonly Manifest[]): {
  readonly name: string | undefined;
  readonly digest: Digest | undefined;
} {
  const said = (key: string) =>
    manifests.map(({ view }) => view.annotations[key]).find((text) => text !== undefined && text !== '');
  return { name: said(nameKey), digest: tryParseDigest(said(digestKey)) };
}
