/** Finds what an image's name stands for, and judges what is said of it. */
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import type { SignatureRules } from './rules.ts';
import type { Verdict, VerifyRequest } from './verdict.ts';

/** Where an image is. */
interface ImagePlace {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** In full: `docker.io/library/alpine:3`. */
  readonly fullName: string;
}

/** What became of all that was found of an image. */
export interface Judged<V extends Verdict = Verdict> {
  /** The name that was asked for, in full. */
  readonly reference: string;
  /** `NAME@DIGEST`: what was verified. */
  readonly image: string;
  readonly digest: Digest;
  readonly verdicts: readonly V[];
}

/**
 * @param judge Of signatures, or of attestations.
 * @param opts `subject` chooses another manifest than the named one: that of a platform.
 * @throws OciError what the registry throws
 */
export async function judgeImage<R extends { readonly name: SignatureRules['name'] }, V extends Verdict>(
  { registry, repo, reference, repository, fullName }: ImagePlace,
  judge: (request: Omit<VerifyRequest, 'rules'> & { readonly rules: R }) => Promise<readonly V[]>,
  rulesFor: (name: SignatureRules['name']) => R,
  { signal, subject }: SignalOption & { readonly subject?: (() => Promise<Digest>) | undefined } = {},
): Promise<Judged<V>> {
  const digest = subject
    ? await subject()
    : (await registry.getManifest(repo, reference, { signal })).descriptor.digest;
  const rules = rulesFor({ repository, exact: fullName });
  const verdicts = await judge({ registry, repo, digest, rules, signal });
  return { reference: fullName, image: `${repository}@${digest}`, digest, verdicts };
}

/**
 * The failure of an image of which nothing counts; undefined if something does.
 *
 * @param reasons Where the reason for each is, for the hint.
 */
export function untrusted(
  { image, verdicts }: Judged,
  what: 'signature' | 'attestation',
  reasons: 'above' | 'in its detail',
): OciError | undefined {
  if (verdicts.some(({ accepted }) => accepted)) return undefined;
  if (verdicts.length === 0) {
    const hint = `ocictl ${what === 'signature' ? 'sign' : 'attest'} adds one`;
    return new OciError('UNTRUSTED', `${image} has no ${what}`, { hint });
  }
  return new OciError('UNTRUSTED', `${image} has no ${what} that counts, of ${verdicts.length}`, {
    hint: `the reason for each is ${reasons}`,
    detail: verdicts,
  });
}
