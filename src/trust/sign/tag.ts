/**
 * Signatures under the tag `sha256-<hex>.sig`.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md
 */
import { fromBase64 } from '../../model/base64.ts';
import { digestBytes } from '../../model/digest.ts';
import { signatureAnnotation, simpleSigningType, writeSimpleSigning } from '../formats/simple-signing.ts';
import { isSignedBy } from '../keys/key-kind.ts';
import { storeBlob } from './blobs.ts';
import { addLayer } from './layers.ts';
import type { SignRequest, WrittenSignature } from './written.ts';

/** Adds a signature to those under the tag. @throws OciError REFUSED, UNAVAILABLE, as {@link addLayer} */
export async function signUnderTag(
  request: SignRequest,
  annotations: Readonly<Record<string, string>>,
): Promise<WrittenSignature> {
  const { subject, signer, identity } = request;
  const payload = writeSimpleSigning({ identity, annotations, digest: subject.digest });
  const digest = await digestBytes(payload);
  return addLayer(request, {
    suffix: 'sig',
    mediaType: simpleSigningType,
    async isEqual(layer) {
      const signature = fromBase64(layer.annotations?.[signatureAnnotation] ?? '');
      return layer.digest === digest && signature !== undefined && isSignedBy(signer.publicKey, payload, signature);
    },
    async store() {
      const signature = Buffer.from(await signer.sign(payload)).toString('base64');
      const blob = await storeBlob(request, simpleSigningType, payload);
      return { ...blob, annotations: { [signatureAnnotation]: signature } };
    },
  });
}
