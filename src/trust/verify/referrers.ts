/**
 * Signatures and attestations that are referrers of an image: bundles, and signatures of other tools, of which it is said that
 * they do not count.
 */
import { OciError } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { ImageView } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { isBundleType, readBundle } from '../formats/bundle.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import { findSignatory } from './authority.ts';
import { claimsOfStatement } from './claims.ts';
import { judgeLayers, maxAttestationBytes } from './layers.ts';
import { type Look, readSaid, tooManyHint } from './look.ts';
import { judgeNotation, notationType } from './notation.ts';
import { judge, type Verdict, type VerifyRequest } from './verdict.ts';

/** cosign's, with `COSIGN_EXPERIMENTAL`: the layers of the tag, in a referrer. */
const layersType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
/** Far more than anybody signs with. Each is two requests. */
const maxReferrers = 1000;
const maxBundleBytes = 4 * 1024 * 1024;
const atOnce = 4;

/** What is looked for: signatures, or attestations where the rules have `attested`. */
type Rules = VerifyRequest['rules'];

/** Judges every referrer that is a signature, or may be one. @throws OciError TOO_LARGE; what the list fails with */
export async function judgeReferrers(look: Look): Promise<readonly Verdict[]> {
  const [verdicts = []] = await judgeReferrersBy([look.rules], look);
  return verdicts;
}

/** The same by several rules: the list and each referrer are read once. @returns The verdicts by each. */
export async function judgeReferrersBy(
  all: readonly Rules[],
  { rules: _, ...look }: Omit<Look, 'rules'> & Partial<Look>,
): Promise<readonly (readonly Verdict[])[]> {
  const { registry, repo, digest, signal } = look;
  const entries: Descriptor[] = [];
  for await (const entry of registry.referrers(repo, digest, { signal })) {
    if (all.some((rules) => mayCount(entry, rules))) entries.push(entry);
    if (entries.length > maxReferrers) {
      const what = all.map(({ attested }) => (attested ? 'attestations' : 'signatures')).join(' and ');
      throw new OciError('TOO_LARGE', `more than ${maxReferrers} ${what} refer to ${digest}`, { hint: tooManyHint });
    }
  }
  const verdicts = all.map((): Verdict[] => []);
  for await (const some of inOrder(entries, atOnce, (entry) => judgeReferrer(entry, all, look))) {
    for (const [i, found] of some.entries()) verdicts[i]?.push(...found);
  }
  return verdicts;
}

function mayCount({ artifactType }: Descriptor, { attested }: Rules): boolean {
  return attested ? mayBeBundle(artifactType) : mayBeSignature(artifactType);
}

function mayBeSignature(type: string | undefined): boolean {
  return mayBeBundle(type) || type === layersType || type === notationType;
}

/** In lists that clients write, cosign 2.6 gives a bundle the type of its empty config. */
export function mayBeBundle(type: string | undefined): boolean {
  return type === undefined || type === mediaTypes.ociEmpty || isBundleType(type);
}

async function judgeReferrer(
  entry: Descriptor,
  all: readonly Rules[],
  look: Omit<Look, 'rules'>,
): Promise<readonly (readonly Verdict[])[]> {
  const { registry, repo, digest, signal } = look;
  const at = entry.digest;
  let view: ImageView | undefined;
  const unread = await judge({ form: 'referrer', at }, async () => {
    const { view: read } = await registry.getManifest(repo, at, { signal });
    if (read.subject?.digest !== digest)
      throw new InvalidSignature('it is listed here, but refers to another manifest');
    if (read.kind === 'image') view = read;
    return undefined;
  });
  const bundles = new BundleReader(look);
  const verdicts: (readonly Verdict[])[] = [];
  for (const rules of all) {
    if (!mayCount(entry, rules)) verdicts.push([]);
    else if (unread.reason !== undefined) verdicts.push([unread]);
    else verdicts.push(view ? await judgeView(view, at, { ...look, rules }, bundles) : []);
  }
  return verdicts;
}

async function judgeView(
  view: ImageView,
  at: Descriptor['digest'],
  look: Look,
  bundles: BundleReader,
): Promise<readonly Verdict[]> {
  const { layers, config, artifactType } = view;
  const isOf = (type: string): boolean => !look.rules.attested && (config.mediaType === type || artifactType === type);
  if (isOf(layersType)) return judgeLayers(view, { form: 'referrer', at }, look);
  if (isOf(notationType)) {
    return [await judgeNotation(view, { form: 'notation', at }, look)];
  }
  const [bundle, another] = layers.filter(({ mediaType }) => isBundleType(mediaType));
  if (!bundle) return [];
  if (another) return [{ form: 'bundle', at, reason: 'it has several bundles instead of one' }];
  const maxBytes = look.rules.attested ? maxAttestationBytes : maxBundleBytes;
  bundles.count(bundle, maxBytes);
  return [
    await judge({ form: 'bundle', at, blob: bundle.digest }, async () => {
      const signed = await bundles.read(bundle, maxBytes);
      const signedBy = await findSignatory(look.rules.authorities, signed);
      return { signedBy, ...claimsOfStatement(signed.payload, look) };
    }),
  ];
}

/** Reads the bundle of one referrer once, whatever it is judged by. */
class BundleReader {
  readonly #look: Omit<Look, 'rules'>;
  #counted = false;
  #bundle: Promise<ReturnType<typeof readBundle>> | undefined;

  constructor(look: Omit<Look, 'rules'>) {
    this.#look = look;
  }

  /** @throws OciError TOO_LARGE for the look as a whole */
  count(bundle: Descriptor, maxBytes: number): void {
    if (this.#counted || bundle.size > maxBytes) return;
    this.#counted = true;
    this.#look.budget.count(bundle, maxBytes);
  }

  async read(bundle: Descriptor, maxBytes: number): Promise<ReturnType<typeof readBundle>> {
    if (bundle.size > maxBytes) return readBundle(await readSaid(this.#look, bundle, maxBytes));
    this.#bundle ??= readSaid(this.#look, bundle, maxBytes).then(readBundle);
    return await this.#bundle;
  }
}
