/** Signs images, and attests something of them. What does it is loaded by the first call. */
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { openPlace } from '../places/open-place.ts';
import { splitDigest } from '../places/split-digest.ts';
import { takesParts } from '../places/takes-parts.ts';
import type { SignedImage, SigningOptions, SigningPlace } from '../trust/sign/image.ts';
import type { Signer } from '../trust/signer.ts';
import { placesOf } from './places.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';

/** Who signs, and where the result goes. */
export interface SigningCallOptions extends CallOptions {
  /** The text of a private key, cosign's or in PEM; or what signs with a key elsewhere, such as a service that keeps keys. */
  readonly key: string | Signer;
  /** Of the key, if its text is encrypted. */
  readonly password?: string | undefined;
  /**
   * `tag`: as cosign 2, podman and skopeo read it; `bundle`: as cosign 3 writes it. Default: both, or the tag alone at a registry
   * that refuses bundles.
   */
  readonly signatureFormat?: 'tag' | 'bundle' | 'both' | undefined;
  /** Of an index, the images in it too. Default false. */
  readonly recursive?: boolean | undefined;
  /** The name to sign, in place of the repository. Needed for an image in a layout. */
  readonly identity?: string | undefined;
}

/** How an image is signed. */
export interface SignOptions extends SigningCallOptions {
  /** Something to sign with the digest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** How something is attested of an image. */
export interface AttestOptions extends SigningCallOptions {
  /** What the predicate is: a short name of cosign (`slsaprovenance1`, `spdxjson`, `cyclonedx`, …), or a URI. */
  readonly type: string;
  /** Whether other attestations of the type are removed, whoever signed them. Default false. */
  readonly replace?: boolean | undefined;
}

const signingShape: Shape<SigningCallOptions> = {
  ...callShape,
  key: ['string', 'object'],
  password: 'string',
  signatureFormat: 'string',
  recursive: 'boolean',
  identity: 'string',
};

/**
 * Signs the digest of an image as `ocictl sign` does. A tag is looked up once. A signature that is there already, by the same key and
 * of the same content, is not added again; those of others stay.
 *
 * @param reference A name by tag or digest, or `oci:DIR:TAG`.
 * @returns What was signed, by digest.
 * @throws OciError USAGE for wrong arguments and for what is no such key; UNAUTHORIZED for a wrong password; REFUSED if the tag for
 *   signatures holds something else; UNAVAILABLE if others overwrite it without end; REFERENCE_INVALID; MANIFEST_UNKNOWN; what
 *   registries throw, see {@link Registry}.
 */
export async function sign(reference: string, options: SignOptions): Promise<SignedImage> {
  checkArgument('sign', 'the reference', reference, 'string');
  checkCallOptions('sign', options, { ...signingShape, annotations: 'object' });
  const { annotations = {} } = options;
  return await signed('sign', reference, options, async (place, how) => {
    const { signImage } = await import('../trust/sign/image.ts');
    return signImage(place, { ...how, annotations });
  });
}

/**
 * Attests something of an image as `ocictl attest` does: signs a statement of in-toto, which says of its digest what the predicate
 * has.
 *
 * @param reference A name by tag or digest, or `oci:DIR:TAG`.
 * @param predicate What is attested: a value that becomes JSON, or the bytes of a file.
 * @throws OciError as {@link sign}; USAGE also for a predicate that is not of its type.
 */
export async function attest(
  reference: string,
  predicate: object | Uint8Array,
  options: AttestOptions,
): Promise<SignedImage> {
  checkArgument('attest', 'the reference', reference, 'string');
  checkArgument('attest', 'the predicate', predicate, ['object', 'bytes']);
  checkCallOptions('attest', options, { ...signingShape, type: 'string', replace: 'boolean' });
  const { type, replace = false } = options;
  if (type === undefined) throw new OciError('USAGE', 'attest: the option type is missing');
  const [{ readPredicate }, { parsePredicateType }] = await Promise.all([
    import('../trust/formats/predicate.ts'),
    import('../trust/formats/predicate-types.ts'),
  ]);
  const bytes = predicate instanceof Uint8Array ? predicate : Buffer.from(JSON.stringify(predicate));
  const content = {
    predicateType: parsePredicateType(type),
    predicate: readPredicate(bytes, type, 'the predicate', new Date()),
  };
  return await signed('attest', reference, options, async (place, how) => {
    const { attestImage } = await import('../trust/sign/image.ts');
    return attestImage(place, { ...how, ...content, replace });
  });
}

const formats = ['tag', 'bundle', 'both'] as const;

async function signed(
  caller: string,
  reference: string,
  options: SigningCallOptions,
  run: (place: SigningPlace, how: SigningOptions) => Promise<SignedImage>,
): Promise<SignedImage> {
  const { key, password, signatureFormat: format, recursive = false, identity, warn = () => {} } = options;
  if (format !== undefined && !formats.includes(format)) {
    throw new OciError('USAGE', `${caller}: the option signatureFormat must be ${formats.join(', ')}`);
  }
  const { signal = new AbortController().signal } = options;
  const signer = await signerOf(caller, key, password);
  const { name, digest } = splitDigest(reference);
  await using session = await openSession(options);
  const places = placesOf(session.service, signal);
  await using place = await takesParts(await openPlace(name, 'destination', places), reference);
  const result = await run(place, { signer, format, recursive, identity, digest, signal, warn });
  await place.finish();
  return result;
}

async function signerOf(caller: string, key: string | Signer, password: string | undefined): Promise<Signer> {
  if (key === undefined) throw new OciError('USAGE', `${caller}: the option key is missing`);
  if (typeof key !== 'string') return key;
  const [{ readPrivateKey }, { keySigner }] = await Promise.all([
    import('../trust/keys/private-key.ts'),
    import('../trust/signer.ts'),
  ]);
  return keySigner(
    await readPrivateKey(key, 'the key', async (attempt) => (attempt === 1 ? (password ?? '') : undefined)),
  );
}
