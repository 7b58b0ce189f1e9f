/**
 * A trusted root of sigstore: who issues certificates, and which logs and clocks show when something was signed.
 *
 * @see https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_trustroot.proto
 */
import { TrustedRoot as TrustedRootDocument } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { OciError } from '../../model/errors.ts';
import { tryParseObject } from '../../model/json.ts';
import { readCertificate, refuseUnknownCritical } from '../certificates/certificate.ts';
import { decodeText } from '../formats/invalid.ts';

export interface TrustedRoot {
  readonly material: TrustMaterial;
  /** How many of each a signature needs: one of what the root knows, and always one that says when it was made. */
  readonly thresholds: {
    readonly ctlogThreshold: number;
    readonly tlogThreshold: number;
    readonly timestampThreshold: number;
  };
}

export const maxTrustedRootBytes = 1024 * 1024;
const mediaTypes = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.1|\.v0\.[12]\+json)$/;
/** Of each kind. The public root has two of a kind. */
const maxInstances = 100;

/** @param where The file, for messages. @throws OciError USAGE */
export function readTrustedRoot(bytes: Uint8Array, where: string): TrustedRoot {
  let material: TrustMaterial;
  try {
    const document = tryParseObject(decodeText(bytes));
    if (typeof document?.['mediaType'] !== 'string' || !mediaTypes.test(document['mediaType'])) {
      throw new Error('it has not the media type of one');
    }
    const root = TrustedRootDocument.fromJSON(document);
    const authorities = [...root.certificateAuthorities, ...root.timestampAuthorities];
    if (Math.max(authorities.length, root.tlogs.length, root.ctlogs.length) > maxInstances) {
      throw new Error(`it names more than ${maxInstances} authorities or logs`);
    }
    for (const { rawBytes } of authorities.flatMap(({ certChain }) => certChain?.certificates ?? [])) {
      refuseUnknownCritical(readCertificate(rawBytes));
    }
    material = toTrustMaterial(root);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw notRoot(where, `is no trusted root of sigstore: ${problem}`);
  }
  const { certificateAuthorities, timestampAuthorities, tlogs, ctlogs } = material;
  if (certificateAuthorities.length === 0) throw notRoot(where, 'names nobody who issues certificates');
  if (tlogs.length + timestampAuthorities.length === 0) {
    throw notRoot(where, 'names neither a log nor a clock, so that nothing shows when something was signed');
  }
  const oneOf = (list: readonly unknown[]): number => Math.min(list.length, 1);
  return {
    material,
    thresholds: { ctlogThreshold: oneOf(ctlogs), tlogThreshold: oneOf(tlogs), timestampThreshold: 1 },
  };
}

function notRoot(where: string, problem: string): OciError {
  return new OciError('USAGE', `${where} ${problem}`, {
    hint: 'name the trusted_root.json of who issues the certificates; cosign trusted-root create makes one',
  });
}
