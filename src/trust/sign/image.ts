/** Signs and attests what an image's name stands for, with everything in an index if that is asked for. */
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { manifestsBelow } from '../../registry/manifests-below.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Signer } from '../signer.ts';
import { type AttestRequest, attestManifest } from './attest.ts';
import { signManifest } from './sign.ts';
import type { SignatureFormat, SignRequest, WrittenSignature } from './written.ts';

const maxManifests = 1000;

/** Where an image is, and what others call that. */
export interface SigningPlace {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
  /** In full, without tag and digest. */
  readonly repository: string;
  /** In full: `docker.io/library/alpine:3`. */
  readonly fullName: string;
  /** As users write it. */
  readonly name: string;
  /** Undefined for a place that is in no registry. */
  readonly hosted: unknown;
}

export interface SigningOptions {
  readonly signer: Signer;
  /** Undefined: both, if the registry takes both. */
  readonly format: SignatureFormat | undefined;
  /** Everything in an index too. */
  readonly recursive: boolean;
  /** The name that is signed, in place of the repository. */
  readonly identity: string | undefined;
  /** Of the manifest, in place of the one that the place names. */
  readonly digest: Digest | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what was asked for and could not be done, where the rest was. */
  readonly warn: (text: string) => void;
}

/** What was signed or attested. */
export interface SignedImage {
  /** The name that was asked for, in full. */
  readonly reference: string;
  /** Each manifest: one, or with `recursive` all of an index. */
  readonly signed: readonly {
    /** `NAME@DIGEST`. */
    readonly reference: string;
    /** Where its signatures or attestations are. */
    readonly signatures: readonly WrittenSignature[];
  }[];
}

/** @throws OciError USAGE for a place without a name to sign; REFUSED, UNAVAILABLE; what the registry throws */
export async function signImage(
  place: SigningPlace,
  { annotations, ...options }: SigningOptions & { readonly annotations: Readonly<Record<string, string>> },
): Promise<SignedImage> {
  const created = new Date();
  const { format = 'both' } = options;
  return eachManifest(place, options, (request, noBundle) =>
    signManifest({ ...request, annotations }, format, created, noBundle),
  );
}

/** @throws OciError as {@link signImage} */
export async function attestImage(
  place: SigningPlace,
  {
    predicateType,
    predicate,
    replace,
    ...options
  }: SigningOptions & Pick<AttestRequest, 'predicateType' | 'predicate' | 'replace'>,
): Promise<SignedImage> {
  const created = new Date();
  const { format = 'both', warn } = options;
  const notReplaced = (at: Digest, error: unknown): void => {
    const reason = error instanceof Error ? error.message : '';
    warn(`the bundle ${at} of the same type stays, because it cannot be deleted: ${reason}`);
  };
  return eachManifest(place, options, (request, noBundle) =>
    attestManifest({ ...request, predicateType, predicate, replace }, format, created, { noBundle, notReplaced }),
  );
}

async function eachManifest(
  place: SigningPlace,
  { signer, format, recursive, digest, signal, warn, identity = nameToSign(place) }: SigningOptions,
  write: (request: SignRequest, noBundle: (error: unknown) => void) => Promise<readonly WrittenSignature[]>,
): Promise<SignedImage> {
  const { registry, repo, reference, repository, fullName } = place;
  const root = await registry.getManifest(repo, digest ?? reference, { signal });
  const subjects = recursive ? await allOf(place, root, signal) : [root.descriptor];
  const signed: { readonly reference: string; readonly signatures: readonly WrittenSignature[] }[] = [];
  for (const subject of subjects) {
    const request = { registry, repo, subject, signer, identity, signal };
    const signatures = await write(request, (error) => {
      if (format !== undefined || !isOciError(error, 'MANIFEST_INVALID', 'UNSUPPORTED')) throw error;
      warn(`${repository} takes no bundles, so that it is under a tag alone: ${error.message}`);
    });
    signed.push({ reference: `${repository}@${subject.digest}`, signatures });
  }
  return { reference: fullName, signed };
}

/** @throws OciError TOO_LARGE for more than a thousand */
async function allOf(
  place: SigningPlace,
  root: Manifest,
  signal: AbortSignal | undefined,
): Promise<readonly Descriptor[]> {
  const all = await manifestsBelow(place, root, { most: maxManifests, signal });
  if (all.size <= maxManifests) return [...all.values()];
  throw new OciError('TOO_LARGE', `${root.descriptor.digest} has more than ${maxManifests} manifests`);
}

/** As cosign writes it. @throws OciError USAGE where other programs know no name */
function nameToSign({ hosted, repository, name }: SigningPlace): string {
  if (hosted !== undefined) return repository.replace(/^docker\.io\//, 'index.docker.io/');
  throw new OciError('USAGE', `a signature names a repository, and ${name} is in none`, {
    hint: 'say for which it is: --sign-container-identity registry.example.com/team/app',
  });
}
