/** Signatures of notation, in referrers of an image. */
import type { ImageView } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import { findSignatory } from './authority.ts';
import { type Look, readSaid } from './look.ts';
import { checkClaims } from './rules.ts';
import { judge, type Verdict } from './verdict.ts';

export const notationType = 'application/vnd.cncf.notary.signature';
const [jwsType, coseType] = ['application/jose+json', 'application/cose'];
const maxEnvelopeBytes = 1024 * 1024;

export async function judgeNotation(
  { layers }: ImageView,
  found: Pick<Verdict, 'form' | 'at'>,
  request: Look,
): Promise<Verdict> {
  const [layer, another] = layers;
  if (layer && !another && layer.mediaType === jwsType) request.budget.count(layer, maxEnvelopeBytes);
  return judge({ ...found, ...(layer && { blob: layer.digest }) }, async () => {
    const { registry, repo, digest, rules, signal } = request;
    if (!layer || another) throw new InvalidSignature('it has not one signature of notation, but none or several');
    if (layer.mediaType === coseType) {
      throw new InvalidSignature('it is a signature of notation in COSE, which is not verified here: sign in JWS');
    }
    if (layer.mediaType !== jwsType)
      throw new InvalidSignature(`it is a signature of notation in ${quote(layer.mediaType)}`);
    const bytes = await readSaid(request, layer, maxEnvelopeBytes);
    const { fromBase64Url, readNotationEnvelope, readTargetArtifact } = await import('../notation/envelope.ts');
    const envelope = readNotationEnvelope(bytes);
    const { jws } = envelope;
    const signedBy = await findSignatory(rules.authorities, {
      bytes: Buffer.from(`${jws.protected}.${jws.payload}`, 'latin1'),
      payload: fromBase64Url(jws.payload, 'payload'),
      signature: fromBase64Url(jws.signature, 'signature'),
      evidence: { kind: 'notation', envelope },
    });
    const target = readTargetArtifact(fromBase64Url(jws.payload, 'payload'));
    const { annotations } = target;
    checkClaims({ digest: target.digest, identity: undefined, annotations }, digest, rules);
    const { mediaType, size } = await registry.statManifest(repo, digest, { signal });
    if (target.mediaType !== mediaType || target.size !== size) {
      throw new InvalidSignature(
        `it signs ${quote(target.mediaType)} of ${target.size} bytes instead of ${mediaType} of ${size}`,
      );
    }
    return { signedBy, identity: undefined, annotations };
  });
}
