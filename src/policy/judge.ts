/** Judges whether an image complies with the rule that is for it. */
import {
  describeAttested,
  type Requirement,
  type TrustRule,
  type TrustRules,
  type TrustSubject,
} from '../config/trust-rules.ts';
import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { ArrivingImage } from '../registry/admission.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { simpleSigningType } from '../trust/formats/simple-signing.ts';
import { attestedProblem } from '../trust/verify/attested.ts';
import type { Verdict } from '../trust/verify/verdict.ts';
import { type AttestationVerdict, judgeAttestations, judgeBoth, judgeSignatures } from '../trust/verify/verify.ts';
import { type AskedName, signedName } from './signed-name.ts';
import type { Signers } from './signers.ts';

/** Where an image is read, and its signatures. */
export interface JudgedSource {
  readonly subject: TrustSubject;
  readonly asked: AskedName;
  readonly registry: Registry;
  /** Where signatures may be that the registry lacks, as a mirror may; asked if too few count there. */
  readonly origin?: (() => Promise<SignaturePlace | undefined>) | undefined;
}

interface SignaturePlace {
  readonly registry: Registry;
  readonly repo: RepositoryName;
}

/** What was found of one manifest. */
export interface Judged {
  readonly digest: Digest;
  readonly complies: boolean;
  /** Of signatures. */
  readonly verdicts: readonly Verdict[];
  /** Of attestations, if some are demanded. */
  readonly attestations: readonly AttestationVerdict[];
  /** The attestations that are missing, in words. */
  readonly lacks: readonly string[];
}

export interface Judgement {
  readonly rule: TrustRule;
  readonly complies: boolean;
  /** The requirement that is not met. */
  readonly missed?: Requirement;
  /** The manifests that were looked at for it; for one that complies, for the last requirement. */
  readonly judged: readonly Judged[];
}

type LookArguments = readonly [Requirement, Digest, RepositoryName, JudgedSource, SignalOption];

/** Images that are looked at together. */
const atOnce = 4;
/** Manifests whose result is remembered. */
const maxKnown = 10_000;

export class Judge {
  readonly #rules: TrustRules;
  readonly #signers: Signers['signers'];
  readonly #numbers = new Map<Requirement, number>();
  /** Several names, tags and destinations may be about the same manifest. */
  readonly #known = new Map<string, Promise<Judged>>();

  constructor(rules: TrustRules, signers: Signers['signers']) {
    this.#rules = rules;
    this.#signers = signers;
  }

  /** @throws OciError what the registries fail with: that is no judgement. */
  async judge(image: ArrivingImage, source: JudgedSource, opts: SignalOption): Promise<Judgement> {
    const rule = this.#rules.ruleFor(source.subject);
    // What a rule rejects is not even such a tag.
    if (rule.says !== 'reject' && (await holdsSignatures(image))) return { rule, complies: true, judged: [] };
    if (typeof rule.says === 'string') return { rule, complies: rule.says === 'accept', judged: [] };
    let judged: readonly Judged[] = [];
    for (const requirement of rule.says) {
      const look = (digest: Digest): Promise<Judged> => this.#lookOnce(requirement, digest, image.repo, source, opts);
      const part = await judgePart(requirement, image, look);
      if (!part.complies) return { rule, missed: requirement, ...part };
      judged = part.judged;
    }
    return { rule, complies: true, judged };
  }

  #lookOnce(...about: LookArguments): Promise<Judged> {
    const [requirement, digest, , { asked, registry }] = about;
    const number = this.#numbers.get(requirement) ?? this.#numbers.size;
    this.#numbers.set(requirement, number);
    const key = JSON.stringify([number, registry.name, asked, digest]);
    const known = this.#known.get(key);
    if (known) return known;
    const looking = this.#look(...about);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, looking);
    // A read that failed may succeed for the next.
    looking.catch(() => this.#known.delete(key));
    return looking;
  }

  async #look(...[requirement, digest, repo, { asked, registry, origin }, { signal }]: LookArguments): Promise<Judged> {
    const authorities = this.#signers.get(requirement) ?? [];
    const rules = { authorities, annotations: {}, ...signedName(requirement.name, asked) };
    const lookAt = async (place: SignaturePlace): Promise<Found> => {
      const request = { ...place, digest, rules, signal };
      if (requirement.attested.length === 0) return { verdicts: await judgeSignatures(request), attestations: [] };
      if (requirement.atLeast > 0) return await judgeBoth(request, {});
      return { verdicts: [], attestations: await judgeAttestations({ ...request, rules: { ...rules, attested: {} } }) };
    };
    const found = judgedBy(requirement, digest, await lookAt({ registry, repo }));
    const other = found.complies ? undefined : await origin?.();
    if (!other) return found;
    // Of an image that was built here, no registry need know the name.
    const more = await unlessUnknown(lookAt(other), 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN');
    if (!more) return found;
    return judgedBy(requirement, digest, {
      verdicts: joined(found.verdicts, more.verdicts),
      attestations: joined(found.attestations, more.attestations),
    });
  }
}

type Found = Pick<Judged, 'verdicts' | 'attestations'>;

function judgedBy({ atLeast, attested }: Requirement, digest: Digest, found: Found): Judged {
  const there = found.attestations.flatMap(({ accepted }) => accepted?.attested ?? []);
  const lacks = attested
    .filter(({ type, fields }) => there.every((one) => attestedProblem(one, { type, fields }) !== undefined))
    .map(describeAttested);
  return { ...found, digest, lacks, complies: signersOf(found.verdicts) >= atLeast && lacks.length === 0 };
}

function joined<V extends Verdict>(verdicts: readonly V[], more: readonly V[]): readonly V[] {
  return [...verdicts, ...more.filter((one) => !verdicts.some((first) => isSame(first, one)))];
}

/** Judges the index and the images as a requirement demands: what was asked for, or each image that is copied. */
async function judgePart(
  { signed }: Requirement,
  image: ArrivingImage,
  look: (digest: Digest) => Promise<Judged>,
): Promise<Pick<Judgement, 'complies' | 'judged'>> {
  const whole = signed === 'image' ? undefined : await look(image.named);
  if (whole && (whole.complies || signed === 'index')) return { complies: whole.complies, judged: [whole] };
  const images = imagesOf(await image.manifests());
  // An image that no index was asked for, or an index without images.
  if (images.every((digest) => digest === image.named)) {
    const only = whole ?? (await look(image.named));
    return { complies: only.complies, judged: [only] };
  }
  const before = whole ? [whole] : [];
  const judged: Judged[] = [];
  for await (const one of inOrder(images, atOnce, look)) {
    if (!one.complies) return { complies: false, judged: [...before, one] };
    judged.push(one);
  }
  return { complies: true, judged };
}

function imagesOf(manifests: readonly Manifest[]): readonly Digest[] {
  return manifests.flatMap(({ view, descriptor }) => (view.kind === 'index' ? [] : [descriptor.digest]));
}

/** How many have signed, each counted once. */
function signersOf(verdicts: readonly Verdict[]): number {
  return new Set(verdicts.flatMap(({ accepted }) => accepted?.signedBy.id ?? [])).size;
}

function isSame(one: Verdict, other: Verdict): boolean {
  return one.at === other.at && one.blob === other.blob && one.reason === other.reason;
}

const signatureTypes: readonly string[] = [simpleSigningType, 'application/vnd.dsse.envelope.v1+json'];

/**
 * Whether an image is what cosign keeps under a tag like `sha256-….sig`: signatures themselves are not signed, and nothing can
 * be run of them. Their layers may be files all the same, for a command that takes files out.
 */
async function holdsSignatures({ reference, manifests, isUsed }: ArrivingImage): Promise<boolean> {
  if (isUsed) return false;
  if (!/^sha(?:256|512)-[0-9a-f]+\.(?:sig|att)$/.test(reference)) return false;
  const all = await manifests();
  return all.every(({ view }) => {
    const layers = view.kind === 'image' ? view.layers : [];
    return layers.length > 0 && layers.every(({ mediaType }) => signatureTypes.includes(mediaType));
  });
}
