/**
 * Attests something of a manifest: signs a statement with a predicate, in the forms that are asked for.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/ATTESTATION_SPEC.md
 */
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { readContent } from '../../registry/content.ts';
import { envelopeType, readEnvelopeBytes, signedBytes, writeEnvelope } from '../formats/dsse.ts';
import { signatureAnnotation } from '../formats/simple-signing.ts';
import { readStatement, writeAttestation } from '../formats/statement.ts';
import { isSignedBy } from '../keys/key-kind.ts';
import { maxAttestationBytes } from '../verify/layers.ts';
import { isFault } from '../verify/verdict.ts';
import { storeBlob } from './blobs.ts';
import { addBundle, ownBundle } from './bundle.ts';
import { signStatement } from './envelope.ts';
import { addLayer } from './layers.ts';
import { removeBundles } from './remove-bundles.ts';
import { type SignatureFormat, type SignRequest, type WrittenSignature, writeForms } from './written.ts';

/** What is attested of a manifest. */
export interface AttestRequest extends SignRequest {
  readonly predicateType: string;
  /** In JSON, which has been parsed before. */
  readonly predicate: string;
  /** Whether it takes the place of what is there of the same type, whoever signed that. */
  readonly replace: boolean;
}

/** Who is told what could not be done. */
interface Told {
  /** A bundle was refused while there is a tag; may throw. */
  readonly noBundle: (error: unknown) => void;
  /** A bundle that should have been replaced could not be deleted; may throw. */
  readonly notReplaced: (at: Digest, error: unknown) => void;
}

/**
 * @param created When the bundle says that it was made.
 * @throws OciError REFUSED if the tag for attestations holds something else; UNAVAILABLE
 */
export async function attestManifest(
  request: AttestRequest,
  format: SignatureFormat,
  created: Date,
  told: Told,
): Promise<readonly WrittenSignature[]> {
  const { subject, identity, predicateType, predicate } = request;
  const payload = writeAttestation({ digest: subject.digest, name: identity, predicateType, predicate });
  // Both forms have the same signature, which is made once.
  let signed: ReturnType<typeof signStatement> | undefined;
  const envelope = () => {
    signed ??= signStatement(payload, request);
    return signed;
  };
  const write = {
    tag: () => attestUnderTag(request, payload, envelope),
    bundle: () => attestInBundle(request, payload, envelope, { created, notReplaced: told.notReplaced }),
  };
  return writeForms(format, write, told.noBundle);
}

type Sign = () => ReturnType<typeof signStatement>;

/** What an envelope has beside its payload: names of fields, and a signature. */
const maxBesideBytes = 2048;

async function attestUnderTag(request: AttestRequest, payload: Uint8Array, sign: Sign): Promise<WrittenSignature> {
  const { registry, repo, subject, signer, predicateType, replace, signal } = request;
  const encodedSize = Math.ceil(payload.length / 3) * 4;
  const read = async (layer: Descriptor) =>
    readEnvelopeBytes(await readContent(await registry.getBlob(repo, layer, { signal }), maxAttestationBytes));
  return addLayer(request, {
    suffix: 'att',
    mediaType: envelopeType,
    async isEqual(layer) {
      const beside = layer.size - encodedSize;
      if (beside < 0 || beside > maxBesideBytes) return false;
      return holds(async () => {
        const one = await read(layer);
        return (
          Buffer.compare(one.payload, payload) === 0 &&
          isSignedBy(signer.publicKey, signedBytes(payload), one.signature)
        );
      });
    },
    async store() {
      const blob = await storeBlob(request, envelopeType, Buffer.from(JSON.stringify(writeEnvelope(await sign()))));
      return { ...blob, annotations: { [signatureAnnotation]: '', predicateType } };
    },
    ...(replace && {
      replaces: (layer) =>
        holds(async () => readStatement((await read(layer)).payload, subject.digest).predicateType === predicateType),
    }),
  });
}

async function attestInBundle(
  request: AttestRequest,
  payload: Uint8Array,
  sign: Sign,
  { created, notReplaced }: Pick<Told, 'notReplaced'> & { readonly created: Date },
): Promise<WrittenSignature> {
  const { predicateType, replace } = request;
  const text = Buffer.from(payload).toString('utf8');
  const attested = { type: predicateType };
  const known = await ownBundle(request, { attested }, (accepted) => accepted.attested?.statement === text);
  const written: WrittenSignature =
    known === undefined
      ? await addBundle(request, await sign(), predicateType, created)
      : { form: 'bundle', at: known, added: false };
  if (!replace) return written;
  return { ...written, replaced: await removeBundles(request, predicateType, written.at, notReplaced) };
}

/** Whether content has a property: what is damaged or missing has not. */
async function holds(property: () => Promise<boolean>): Promise<boolean> {
  try {
    return await property();
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
}
