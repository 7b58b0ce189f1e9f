/**
 * Signatures and attestations as bundles, each in a referrer of the image.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/BUNDLE_SPEC.md
 */
import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { bundleType, writeKeyBundle } from '../formats/bundle.ts';
import type { writeEnvelope } from '../formats/dsse.ts';
import { signPredicate, writeSignStatement } from '../formats/statement.ts';
import { keyHint } from '../keys/public-key.ts';
import type { AttestedRule } from '../verify/attested.ts';
import { keyAuthority } from '../verify/key-authority.ts';
import { ReadBudget } from '../verify/look.ts';
import { judgeReferrers } from '../verify/referrers.ts';
import type { Verdict } from '../verify/verdict.ts';
import { storeBlob } from './blobs.ts';
import { signStatement } from './envelope.ts';
import { maxRounds, type SignRequest, type WrittenSignature } from './written.ts';

/** Adds a signature. @throws OciError UNAVAILABLE, as {@link addBundle} */
export async function signInBundle(
  request: SignRequest,
  annotations: Readonly<Record<string, string>>,
  created: Date,
): Promise<WrittenSignature> {
  const count = Object.keys(annotations).length;
  const known = await ownBundle(request, { annotations }, (one) => Object.keys(one.annotations).length === count);
  if (known !== undefined) return { form: 'bundle', at: known, added: false };
  const payload = writeSignStatement(request.subject.digest, annotations);
  return addBundle(request, await signStatement(payload, request), signPredicate, created);
}

/**
 * Adds a bundle to the referrers of the image. Where a tag has their list, another writer may overwrite it: the list is read
 * again, and the referrer pushed again if it is missing.
 *
 * @throws OciError UNAVAILABLE if others overwrite the list without end
 */
export async function addBundle(
  request: SignRequest,
  envelope: Parameters<typeof writeEnvelope>[0],
  predicateType: string,
  created: Date,
): Promise<WrittenSignature> {
  const { registry, repo, subject, signer, signal } = request;
  const bundle = writeKeyBundle(keyHint(signer.publicKey), envelope);
  const layer = await storeBlob(request, bundleType, bundle);
  const config = await storeBlob(request, mediaTypes.ociEmpty, Buffer.from('{}'));
  const { mediaType, digest, size } = subject;
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    artifactType: bundleType,
    config,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateType,
      'org.opencontainers.image.created': created.toISOString().replace(/\.\d+Z$/, 'Z'),
    },
  };
  const manifest = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(JSON.stringify(document)) };
  for (let round = 0; round < maxRounds; round += 1) {
    const pushed = await registry.pushManifest(repo, manifest, { signal });
    for await (const entry of registry.referrers(repo, digest, { signal })) {
      if (entry.digest === pushed.digest) return { form: 'bundle', at: pushed.digest, added: true };
    }
  }
  throw new OciError('UNAVAILABLE', `the list of what refers to ${digest} is overwritten by others again and again`, {
    hint: 'sign again later',
  });
}

/** A bundle that the same key signed, and that is what would be added. */
export async function ownBundle(
  request: SignRequest,
  wanted: { readonly annotations?: Readonly<Record<string, string>>; readonly attested?: AttestedRule },
  isEqual: (accepted: NonNullable<Verdict['accepted']>) => boolean,
): Promise<Digest | undefined> {
  const { subject, signer } = request;
  const authorities = [keyAuthority('the key', signer.publicKey)];
  const { annotations = {}, attested } = wanted;
  const rules = { authorities, reference: 'any', name: { repository: '', exact: '' }, annotations, attested } as const;
  const verdicts = await judgeReferrers({ ...request, digest: subject.digest, rules, budget: new ReadBudget() });
  const equal = verdicts.find(({ form, accepted }) => form === 'bundle' && accepted && isEqual(accepted));
  return equal?.at as Digest | undefined;
}
