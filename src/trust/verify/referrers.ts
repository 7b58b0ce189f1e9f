/**
 * Signatures and attestations that are referrers of an image: bundles, and signatures of other tools, of which it is said that
 * they do not count.
 */
import { OciError } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { ImageView } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { readContent } from '../../registry/content.ts';
import { isBundleType, readBundle } from '../formats/bundle.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import { findSignatory } from './authority.ts';
import { claimsOfStatement } from './claims.ts';
import { judgeLayers, maxAttestationBytes } from './layers.ts';
import { judgeNotation, notationType } from './notation.ts';
import { judge, type Verdict, type VerifyRequest } from './verdict.ts';

/** cosign's, with `COSIGN_EXPERIMENTAL`: the layers of the tag, in a referrer. */
const layersType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
/** Far more than anybody signs with. Each is two requests. */
const maxReferrers = 1000;
const maxBundleBytes = 4 * 1024 * 1024;
const atOnce = 4;

/** Judges every referrer that is a signature, or may be one. @throws OciError TOO_LARGE; what the list fails with */
export async function judgeReferrers(request: VerifyRequest): Promise<readonly Verdict[]> {
  const { registry, repo, digest, rules, signal } = request;
  const [mayCount, what] = rules.attested ? [mayBeBundle, 'attestations'] : [mayBeSignature, 'signatures'];
  const entries: Descriptor[] = [];
  for await (const entry of registry.referrers(repo, digest, { signal })) {
    if (mayCount(entry.artifactType)) entries.push(entry);
    if (entries.length > maxReferrers) {
      throw new OciError('TOO_LARGE', `more than ${maxReferrers} ${what} refer to ${digest}`);
    }
  }
  const verdicts: Verdict[] = [];
  for await (const some of inOrder(entries, atOnce, (entry) => judgeReferrer(entry, request))) verdicts.push(...some);
  return verdicts;
}

function mayBeSignature(type: string | undefined): boolean {
  return mayBeBundle(type) || type === layersType || type === notationType;
}

/** In lists that clients write, cosign 2.6 gives a bundle the type of its empty config. */
export function mayBeBundle(type: string | undefined): boolean {
  return type === undefined || type === mediaTypes.ociEmpty || isBundleType(type);
}

async function judgeReferrer(entry: Descriptor, request: VerifyRequest): Promise<readonly Verdict[]> {
  const { registry, repo, digest, rules, signal } = request;
  const at = entry.digest;
  let view: ImageView | undefined;
  const unread = await judge({ form: 'referrer', at }, async () => {
    const { view: read } = await registry.getManifest(repo, at, { signal });
    if (read.subject?.digest !== digest)
      throw new InvalidSignature('it is listed here, but refers to another manifest');
    if (read.kind === 'image') view = read;
    return undefined;
  });
  if (unread.reason !== undefined) return [unread];
  if (!view) return [];
  const { layers, config, artifactType } = view;
  const isOf = (type: string): boolean => !rules.attested && (config.mediaType === type || artifactType === type);
  if (isOf(layersType)) return judgeLayers(view, { form: 'referrer', at }, request);
  if (isOf(notationType)) {
    return [await judgeNotation(view, { form: 'notation', at }, request)];
  }
  const bundles = layers.filter(({ mediaType }) => isBundleType(mediaType));
  const [bundle, another] = bundles;
  if (!bundle) return [];
  if (another) return [{ form: 'bundle', at, reason: 'it has several bundles instead of one' }];
  return [await judge({ form: 'bundle', at, blob: bundle.digest }, () => verifyBundle(bundle, request))];
}

async function verifyBundle(layer: Descriptor, request: VerifyRequest): Promise<NonNullable<Verdict['accepted']>> {
  const { registry, repo, rules, signal } = request;
  const maxBytes = rules.attested ? maxAttestationBytes : maxBundleBytes;
  const bytes = await readContent(await registry.getBlob(repo, layer, { signal }), maxBytes);
  const signed = readBundle(bytes);
  const signedBy = await findSignatory(rules.authorities, signed);
  return { signedBy, ...claimsOfStatement(signed.payload, request) };
}
