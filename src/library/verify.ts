/** Verifies what is signed and attested of images. What does it is loaded by the first call. */
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { openPlace } from '../places/open-place.ts';
import { type Place, readFrom } from '../places/place.ts';
import { resolveImage } from '../transfer/platforms.ts';
import type { Authority } from '../trust/verify/authority.ts';
import type { Judged } from '../trust/verify/image.ts';
import type { Verdict } from '../trust/verify/verdict.ts';
import type { AttestationVerdict } from '../trust/verify/verify.ts';
import { placesOf } from './places.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';

/** Somebody whose signatures count: who has a key, or an identity that somebody vouched for in a certificate (keyless). */
export type TrustedSigner =
  | {
      /** The text of the public key, in PEM. */
      readonly key: string;
      /** What results call it. Default: `the key`. */
      readonly name?: string | undefined;
    }
  | {
      /** The address or URI that the certificate is for. */
      readonly identity: string;
      /** Who vouched for that identity. */
      readonly issuer: string;
      /** Who issues certificates, with logs and clocks: the text of a `trusted_root.json` of sigstore. */
      readonly trustedRoot: string;
    };

/** Which signatures count. */
export interface VerifyOptions extends CallOptions {
  /** One of them is enough. */
  readonly signedBy: readonly TrustedSigner[];
  /**
   * Which name must have been signed: `any`, so that a copy of an image verifies too; `repository`: this one; `exact`: the name that
   * was asked for. Default `any`.
   */
  readonly reference?: 'any' | 'repository' | 'exact' | undefined;
  /** What must have been signed with the digest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** `linux/arm64`: of an index, this image. Default: what the name stands for, an index too. */
  readonly platform?: string | undefined;
}

/** Which attestations count. */
export interface VerifyAttestationOptions extends Omit<VerifyOptions, 'annotations'> {
  /** A short name of cosign (`slsaprovenance1`, `spdxjson`, `cyclonedx`, …), or a URI. Default: any type. */
  readonly type?: string | undefined;
  /**
   * Values that the predicate must have, by paths: `{ 'runDetails.builder.id': 'https://…' }`. A path names fields, and elements of
   * lists by number; a dot in a name is written `\.`.
   */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

/** An image of which something counts. */
export interface Verified<V extends Verdict> {
  /** The name that was asked for, in full. */
  readonly reference: string;
  /** `NAME@DIGEST`: what was verified. Pull this to get it. */
  readonly image: string;
  /** Of what was verified. */
  readonly digest: Digest;
  /** What became of each signature or attestation: one that counts has `accepted`, any other a `reason`. */
  readonly verdicts: readonly V[];
}

const shape: Shape<Omit<VerifyOptions, 'annotations'>> = {
  ...callShape,
  signedBy: 'array',
  reference: 'string',
  platform: 'string',
};

/**
 * Verifies that an image is signed, as `ocictl verify` does: offline, in what refers to it and under the tag `sha256-….sig`.
 *
 * @param reference A name by tag or digest, `oci:DIR:TAG` or `store:NAME`.
 * @throws OciError UNTRUSTED if no signature counts, with the verdicts in `detail`; USAGE for wrong arguments and for what is no key;
 *   REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; what registries throw, see {@link Registry}: a list that cannot be read is
 *   never taken for an empty one.
 */
export async function verify(reference: string, options: VerifyOptions): Promise<Verified<Verdict>> {
  checkArgument('verify', 'the reference', reference, 'string');
  checkCallOptions('verify', options, { ...shape, annotations: 'object' });
  const { annotations = {} } = options;
  return await verified('verify', reference, options, 'signature', async (place, rules, opts) => {
    const [{ judgeSignatures }, { judgeImage }] = await loadJudges();
    return judgeImage(place, judgeSignatures, (name) => ({ ...rules, annotations, name }), opts);
  });
}

/**
 * Verifies what is attested of an image, as `ocictl verify-attestation` does. A verdict that counts has what was said in
 * `accepted.attested`.
 *
 * @throws OciError as {@link verify}; USAGE also for a type that is neither a short name nor a URI.
 */
export async function verifyAttestation(
  reference: string,
  options: VerifyAttestationOptions,
): Promise<Verified<AttestationVerdict>> {
  checkArgument('verifyAttestation', 'the reference', reference, 'string');
  checkCallOptions('verifyAttestation', options, { ...shape, type: 'string', fields: 'object' });
  const attested = { type: options.type, fields: options.fields };
  return await verified('verifyAttestation', reference, options, 'attestation', async (place, rules, opts) => {
    const [{ judgeAttestations }, { judgeImage }] = await loadJudges();
    return judgeImage(place, judgeAttestations, (name) => ({ ...rules, attested, name }), opts);
  });
}

function loadJudges() {
  return Promise.all([import('../trust/verify/verify.ts'), import('../trust/verify/image.ts')]);
}

interface Rules {
  readonly authorities: readonly Authority[];
  readonly reference: 'any' | 'repository' | 'exact';
}

const referenceRules = ['any', 'repository', 'exact'] as const;

async function verified<V extends Verdict>(
  caller: string,
  name: string,
  options: Omit<VerifyOptions, 'annotations'>,
  what: 'signature' | 'attestation',
  judge: (
    place: Place,
    rules: Rules,
    opts: { readonly signal: AbortSignal; readonly subject: (() => Promise<Digest>) | undefined },
  ) => Promise<Judged<V>>,
): Promise<Verified<V>> {
  const { signedBy, reference = 'any', signal = new AbortController().signal } = options;
  if (!referenceRules.includes(reference)) {
    throw new OciError('USAGE', `${caller}: the option reference must be ${referenceRules.join(', ')}`);
  }
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const authorities = await authoritiesOf(caller, signedBy);
  await using session = await openSession(options);
  await using place = await openPlace(name, 'source', placesOf(session.service, signal));
  const subject = platform && (async () => (await resolveImage(place, platform, { signal })).descriptor.digest);
  const judged = await readFrom(place, () => judge(place, { authorities, reference }, { signal, subject }));
  const { untrusted } = await import('../trust/verify/image.ts');
  const failure = untrusted(judged, what, 'in its detail');
  if (failure) throw failure;
  return judged;
}

async function authoritiesOf(caller: string, signers: readonly TrustedSigner[]): Promise<readonly Authority[]> {
  if (signers === undefined || signers.length === 0) {
    throw new OciError('USAGE', `${caller}: the option signedBy names nobody`);
  }
  return Promise.all(
    signers.map((signer: unknown, at) => {
      checkArgument(caller, `signedBy[${at}]`, signer, 'object');
      return authorityOf(caller, signer as TrustedSigner);
    }),
  );
}

async function authorityOf(caller: string, signer: TrustedSigner): Promise<Authority> {
  if ('key' in signer) {
    const { key, name = 'the key' } = signer;
    checkArgument(caller, 'a key', key, 'string');
    checkArgument(caller, 'the name of a key', name, 'string');
    const [{ readPublicKey }, { keyAuthority }] = await Promise.all([
      import('../trust/keys/public-key.ts'),
      import('../trust/verify/key-authority.ts'),
    ]);
    return keyAuthority(name, readPublicKey(key, name));
  }
  const { identity, issuer, trustedRoot } = signer;
  for (const [name, text] of Object.entries({ identity, issuer, trustedRoot })) {
    checkArgument(caller, `${name} of a signer`, text, 'string');
  }
  const [{ certificateAuthority }, { exactly }, { readTrustedRoot }] = await Promise.all([
    import('../trust/sigstore/certificate-authority.ts'),
    import('../trust/sigstore/identity.ts'),
    import('../trust/sigstore/trusted-root.ts'),
  ]);
  const root = readTrustedRoot(Buffer.from(trustedRoot), 'the trusted root');
  return certificateAuthority({ identity: exactly(identity), issuer: exactly(issuer), root });
}
