/** What came with a signature, in the form of a bundle, whichever layout it had. */
import { bundleFromJSON } from '@sigstore/bundle';
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { fromBase64 } from '../../model/base64.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { type Certificate, readCertificate, readPemCertificates } from '../certificates/certificate.ts';
import { refuseDeepNesting } from '../certificates/der.ts';
import { decodeText, InvalidSignature } from '../formats/invalid.ts';
import type { Evidence } from '../formats/signed-bytes.ts';

export interface Proof {
  readonly certificate: Certificate;
  readonly logEntries: readonly TransparencyLogEntry[];
  /** Answers of timestamp authorities (RFC 3161). */
  readonly timestamps: readonly Uint8Array[];
}

/**
 * What cosign writes beside a signature under a tag.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md#properties
 */
const layerAnnotations = {
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  logEntry: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

const maxTimestamps = 8;
const maxTimestampBytes = 32 * 1024;
const maxChain = 16;

/** @throws InvalidSignature, also for what a key verifies */
export function readProof(evidence: Evidence): Proof {
  if (evidence.kind === 'notation')
    throw new InvalidSignature('it is a signature of notation, which a trust store verifies');
  const proof = evidence.kind === 'layer' ? proofOfLayer(evidence.annotations) : proofOfBundle(evidence.document);
  if (proof.timestamps.length > maxTimestamps) {
    throw new InvalidSignature(`it has more than ${maxTimestamps} timestamps`);
  }
  for (const timestamp of proof.timestamps) {
    if (timestamp.length > maxTimestampBytes) throw new InvalidSignature('its timestamp is too large');
    refuseDeepNesting(timestamp);
  }
  return proof;
}

function proofOfBundle(document: Readonly<Record<string, unknown>>): Proof {
  const { verificationMaterial: material } = document;
  if (isObject(material) && material['publicKey'] !== undefined) {
    throw new InvalidSignature('a key verifies it, and not a certificate');
  }
  let bundle: ReturnType<typeof bundleFromJSON>;
  try {
    bundle = bundleFromJSON(document);
  } catch (error) {
    // Its own words are names of fields.
    const fields = error instanceof Error && 'fields' in error ? `: ${String(error.fields)}` : '';
    throw new InvalidSignature(`it is not a bundle of its version${fields}`);
  }
  const { content, tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  if (content.$case === 'publicKey') throw new InvalidSignature('a key verifies it, and not a certificate');
  const chain = content.$case === 'certificate' ? [content.certificate] : content.x509CertificateChain.certificates;
  const [leaf] = chain;
  if (!leaf || chain.length > maxChain) throw new InvalidSignature(`it has no certificate, or more than ${maxChain}`);
  return {
    certificate: readCertificate(leaf.rawBytes),
    logEntries: tlogEntries,
    timestamps: (timestampVerificationData?.rfc3161Timestamps ?? []).map(({ signedTimestamp }) => signedTimestamp),
  };
}

function proofOfLayer(annotations: Readonly<Record<string, string>>): Proof {
  const certificate = annotations[layerAnnotations.certificate];
  // Those of cosign are empty where it signed by a key.
  if (!certificate) throw new InvalidSignature('it has no certificate');
  const [leaf, another] = readPemCertificates(certificate, { max: maxChain });
  if (!leaf || another) throw new InvalidSignature('it has several certificates instead of one with a chain');
  const entry = annotations[layerAnnotations.logEntry];
  const timestamp = annotations[layerAnnotations.timestamp];
  return {
    certificate: leaf,
    logEntries: entry ? [logEntryOf(entry)] : [],
    timestamps: timestamp ? [timestampOf(timestamp)] : [],
  };
}

/** An entry of Rekor with its promise to be included, as the log answers it. */
function logEntryOf(text: string): TransparencyLogEntry {
  const { Payload: payload, SignedEntryTimestamp: promise } = tryParseObject(text) ?? {};
  const { body, integratedTime, logIndex, logID } = isObject(payload) ? payload : {};
  const canonicalizedBody = base64Of(body);
  const signedEntryTimestamp = base64Of(promise);
  const { kind, apiVersion } = (canonicalizedBody && tryParseObject(decodeText(canonicalizedBody))) ?? {};
  const isWhole =
    typeof kind === 'string' &&
    typeof apiVersion === 'string' &&
    typeof logID === 'string' &&
    /^[0-9a-f]{64}$/.test(logID);
  if (!isWhole || !canonicalizedBody || !signedEntryTimestamp) {
    throw new InvalidSignature('its log entry is malformed');
  }
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: Buffer.from(signedEntryTimestamp) },
    inclusionProof: undefined,
    canonicalizedBody: Buffer.from(canonicalizedBody),
  };
}

function timestampOf(text: string): Uint8Array {
  const timestamp = base64Of(tryParseObject(text)?.['SignedRFC3161Timestamp']);
  if (!timestamp) throw new InvalidSignature('its timestamp is malformed');
  return timestamp;
}

function base64Of(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && value !== '' ? fromBase64(value) : undefined;
}
