/** Signatures and attestations that are layers of a manifest: under a tag, or, as cosign tried it, in a referrer. */
import { fromBase64 } from '../../model/base64.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { ManifestView } from '../../model/manifest/manifest.ts';
import { digestTag } from '../../model/reference/digest-tag.ts';
import { envelopeType, readEnvelopeBytes, signedBytes } from '../formats/dsse.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import { readSimpleSigning, signatureAnnotation, simpleSigningType } from '../formats/simple-signing.ts';
import { findSignatory } from './authority.ts';
import { claimsOfStatement } from './claims.ts';
import { type Look, readSaid, tooManyHint } from './look.ts';
import { checkClaims } from './rules.ts';
import { judge, type Verdict } from './verdict.ts';

/** Far more than anybody signs with. */
const maxSignatures = 1000;
const maxPayloadBytes = 1024 * 1024;
/** An attestation may be a list of all files of an image. It is in memory as a whole. */
export const maxAttestationBytes = 64 * 1024 * 1024;
const signaturesAtOnce = 4;
const attestationsAtOnce = 2;

/** Judges what the tag `sha256-<hex>.sig` holds, or `.att`. */
export async function judgeTag(request: Look): Promise<readonly Verdict[]> {
  const { registry, repo, digest, rules, signal } = request;
  const at = digestTag(digest, rules.attested ? 'att' : 'sig');
  let view: ManifestView | undefined;
  const unread = await judge({ form: 'tag', at }, async () => {
    view = (await unlessUnknown(registry.getManifest(repo, at, { signal })))?.view;
    return undefined;
  });
  if (unread.reason !== undefined) return [unread];
  return view ? judgeLayers(view, { form: 'tag', at }, request) : [];
}

/** @throws OciError TOO_LARGE for more signatures than are looked at, or than may be read */
export async function judgeLayers(
  view: ManifestView,
  found: Pick<Verdict, 'form' | 'at'>,
  request: Look,
): Promise<readonly Verdict[]> {
  const { attested } = request.rules;
  const [type, what] = attested ? [envelopeType, 'attestations'] : [simpleSigningType, 'signatures'];
  if (view.kind !== 'image') return [{ ...found, reason: `it is ${nameOf(view.kind)}, which holds no ${what}` }];
  const { layers } = view;
  if (!layers.some(({ mediaType }) => mediaType === type)) {
    return [{ ...found, reason: `it is an image or artifact without ${what}` }];
  }
  if (layers.length > maxSignatures) {
    const text = `${found.at} has ${layers.length} ${what}; up to ${maxSignatures} are looked at`;
    throw new OciError('TOO_LARGE', text, { hint: tooManyHint });
  }
  const judgeLayer = async (layer: Descriptor): Promise<Verdict> => {
    if (layer.mediaType === type) request.budget.count(layer, attested ? maxAttestationBytes : maxPayloadBytes);
    return await judge({ ...found, blob: layer.digest }, async () => {
      if (layer.mediaType !== type) throw new InvalidSignature('it is a layer of another kind');
      return attested ? verifyEnvelopeLayer(layer, request) : verifyLayer(layer, request);
    });
  };
  const verdicts: Verdict[] = [];
  for await (const verdict of inOrder(layers, attested ? attestationsAtOnce : signaturesAtOnce, judgeLayer)) {
    verdicts.push(verdict);
  }
  return verdicts;
}

async function verifyLayer(layer: Descriptor, request: Look): Promise<NonNullable<Verdict['accepted']>> {
  const { digest, rules } = request;
  const written = layer.annotations?.[signatureAnnotation] ?? '';
  const signature = fromBase64(written);
  if (!signature || written === '') throw new InvalidSignature('its signature is missing, or not base64');
  const payload = await readSaid(request, layer, maxPayloadBytes);
  const evidence = { kind: 'layer', annotations: layer.annotations ?? {} } as const;
  const signedBy = await findSignatory(rules.authorities, { bytes: payload, payload, signature, evidence });
  const claims = readSimpleSigning(payload);
  checkClaims(claims, digest, rules);
  return { signedBy, identity: claims.identity, annotations: claims.annotations };
}

async function verifyEnvelopeLayer(layer: Descriptor, request: Look): Promise<NonNullable<Verdict['accepted']>> {
  const { rules } = request;
  const bytes = await readSaid(request, layer, maxAttestationBytes);
  const { payload, signature } = readEnvelopeBytes(bytes);
  const evidence = { kind: 'layer', annotations: layer.annotations ?? {} } as const;
  const signedBy = await findSignatory(rules.authorities, {
    bytes: signedBytes(payload),
    payload,
    signature,
    evidence,
  });
  return { signedBy, ...claimsOfStatement(payload, request) };
}

function nameOf(kind: ManifestView['kind']): string {
  return kind === 'index' ? 'an index' : 'a manifest of another kind';
}
