/** Somebody who signs with short-lived certificates (keyless): an identity, vouched for by an issuer. */
import { createHash, type KeyObject } from 'node:crypto';
import { RFC3161Timestamp, X509Certificate } from '@sigstore/core';
import { type SignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import { isOciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import {
  basicConstraints,
  type Certificate,
  extendedUsages,
  keyUsageBits,
  refuseUnknownCritical,
  usages,
} from '../certificates/certificate.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import type { SignedBytes } from '../formats/signed-bytes.ts';
import { checkKeyKind, isSignedBy } from '../keys/key-kind.ts';
import type { Authority } from '../verify/authority.ts';
import { type Proof, readProof } from './evidence.ts';
import { certifiedIdentity, type TextPattern } from './identity.ts';
import { checkLogEntries } from './log-entries.ts';
import type { TrustedRoot } from './trusted-root.ts';
import { verificationProblem } from './verification-problem.ts';

interface CertificateRules {
  readonly identity: TextPattern;
  readonly issuer: TextPattern;
  readonly root: TrustedRoot;
}

/** Signatures count that this identity made while its certificate was valid, by the logs and clocks of the root. */
export function certificateAuthority({ identity, issuer, root }: CertificateRules): Authority {
  const name = `${identity.shown} (issuer ${issuer.shown})`;
  return {
    name,
    async check(signed) {
      const proof = readProof(signed.evidence);
      const { certificate } = proof;
      checkSigningCertificate(certificate);
      const certified = certifiedIdentity(certificate);
      checkLogEntries(proof.logEntries, certificate.der);
      const signedAt = verify(signed, proof, root).toISOString();
      // Only now is it certain that the names are right.
      if (
        !identity.matches(certified.identity) ||
        certified.issuer === undefined ||
        !issuer.matches(certified.issuer)
      ) {
        const by = certified.issuer === undefined ? 'no issuer' : `issuer ${quote(certified.issuer)}`;
        throw new InvalidSignature(`it is signed by ${quote(certified.identity)} (${by}) instead of ${name}`);
      }
      const id = JSON.stringify([certified.issuer, certified.identity]);
      return { kind: 'certificate', name, id, identity: certified.identity, issuer: certified.issuer, signedAt };
    },
  };
}

/** @throws InvalidSignature for certificates of servers, of authorities, and of keys that do not sign images */
function checkSigningCertificate(certificate: Certificate): void {
  refuseUnknownCritical(certificate);
  if (basicConstraints(certificate).isAuthority) {
    throw new InvalidSignature('its certificate is that of an authority, which signs nothing but certificates');
  }
  if (!extendedUsages(certificate)?.includes(usages.codeSigning) || keyUsageBits(certificate)?.includes(0) === false) {
    throw new InvalidSignature('its certificate is not for code signing');
  }
  try {
    checkKeyKind(certificate.x509.publicKey, 'its certificate');
  } catch (error) {
    throw isOciError(error) ? new InvalidSignature(error.message) : error;
  }
}

/** @returns When it was signed. @throws InvalidSignature */
function verify(signed: SignedBytes, { certificate, logEntries, timestamps }: Proof, root: TrustedRoot): Date {
  let signedAt: Date | undefined;
  try {
    const entity: SignedEntity = {
      signature: contentOf(signed),
      key: { $case: 'certificate', certificate: X509Certificate.parse(Buffer.from(certificate.der)) },
      tlogEntries: logEntries as SignedEntity['tlogEntries'],
      timestamps: [
        ...logEntries.flatMap((tlogEntry) =>
          tlogEntry.integratedTime === '0'
            ? []
            : [{ $case: 'transparency-log' as const, tlogEntry: tlogEntry as SignedEntity['tlogEntries'][number] }],
        ),
        ...timestamps.map((bytes) => {
          const timestamp = RFC3161Timestamp.parse(Buffer.from(bytes));
          signedAt ??= timestamp.signingTime;
          return { $case: 'timestamp-authority' as const, timestamp };
        }),
      ],
    };
    new Verifier(materialFor(root, logEntries, signedAt), root.thresholds).verify(entity);
  } catch (error) {
    // Its other errors are of parts that are missing or malformed.
    throw new InvalidSignature(
      error instanceof VerificationError
        ? verificationProblem(error)
        : 'its certificate, log entry or timestamp is malformed',
    );
  }
  const logged = logEntries.find(({ inclusionPromise }) => inclusionPromise)?.integratedTime;
  return signedAt ?? new Date(Number(logged) * 1000);
}

/**
 * The logs that may count. A promise says when it was made, and is only believed of a log that was valid then. A proof has no time:
 * where there is nothing else, the log must have been valid at the time of the clock, or a key that was withdrawn could still prove.
 */
function materialFor(
  { material }: TrustedRoot,
  entries: Proof['logEntries'],
  at: Date | undefined,
): TrustedRoot['material'] {
  if (!at || entries.some(({ inclusionPromise }) => inclusionPromise)) return material;
  return { ...material, tlogs: material.tlogs.filter(({ validFor }) => validFor.start <= at && at <= validFor.end) };
}

/** Verified by what verifies every other signature here: the hash goes with the key, and both are of a kind that is used. */
function contentOf({ bytes, payload, signature }: SignedBytes): SignedEntity['signature'] {
  const hashes: ReadonlyMap<number, string> = new Map([
    [32, 'sha256'],
    [48, 'sha384'],
    [64, 'sha512'],
  ]);
  return {
    signature: Buffer.from(signature),
    compareSignature: (other) => other.equals(signature),
    compareDigest(digest) {
      const hash = hashes.get(digest.length);
      return hash !== undefined && createHash(hash).update(payload).digest().equals(digest);
    },
    verifySignature: (key: KeyObject) => isSignedBy(key, bytes, signature),
  };
}
