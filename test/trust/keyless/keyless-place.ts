/** An image with signatures by certificates of a sigstore of the tests, of which single parts can be forged. */
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { digestTag } from '../../../src/model/reference/digest-tag.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { envelopeType } from '../../../src/trust/formats/dsse.ts';
import { certificateAuthority } from '../../../src/trust/sigstore/certificate-authority.ts';
import { exactly, type TextPattern } from '../../../src/trust/sigstore/identity.ts';
import { readTrustedRoot } from '../../../src/trust/sigstore/trusted-root.ts';
import type { Verdict } from '../../../src/trust/verify/verdict.ts';
import type { Issued } from '../../support/trust/certificates.ts';
import { bytesBody, envelopeBody, type LogEntry } from '../../support/trust/logs.ts';
import { ciIdentity, ciIssuer, TestSigstore } from '../../support/trust/sigstore.ts';
import { json, SignedPlace } from '../support/signing.ts';

/** Of a layer under the tag. */
export const layerAnnotations = {
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  logEntry: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

interface BundleParts {
  readonly certificate?: Issued;
  /** Made by the certificate's key. */
  readonly signed?: ReturnType<KeylessPlace['envelope']>;
  readonly logEntries?: readonly object[];
  readonly timestamps?: readonly Uint8Array[];
  /** Of the bundle, besides. */
  readonly changes?: object;
  readonly material?: object;
  /** When it was logged. */
  readonly at?: Date;
}

interface LayerParts {
  readonly certificate?: Issued;
  readonly signature?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly at?: Date;
}

export interface Identities {
  readonly identity?: TextPattern;
  readonly issuer?: TextPattern;
  readonly root?: object;
}

export class KeylessPlace {
  readonly place: SignedPlace;
  readonly sigstore = new TestSigstore();

  private constructor(place: SignedPlace) {
    this.place = place;
  }

  static async create(registry?: Registry): Promise<KeylessPlace> {
    return new KeylessPlace(await SignedPlace.create(registry));
  }

  envelope(certificate: Issued, statement: object = this.place.statement()) {
    const payload = json(statement);
    const envelope = this.place.envelope(payload, { key: certificate.privateKey }) as {
      readonly signatures: readonly { readonly sig: string }[];
    };
    return { envelope, payload, signature: envelope.signatures[0]?.sig ?? '' };
  }

  /** As a bundle has it. */
  logEntry(entry: LogEntry, changes: object = {}): object {
    const { log } = this.sigstore;
    const { kind, apiVersion } = JSON.parse(entry.body.toString()) as { kind: string; apiVersion: string };
    return {
      logIndex: String(entry.logIndex),
      logId: { keyId: log.id.toString('base64') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(entry.integratedTime),
      inclusionPromise: { signedEntryTimestamp: log.promise(entry) },
      inclusionProof: log.proof(entry),
      canonicalizedBody: entry.body.toString('base64'),
      ...changes,
    };
  }

  entryOf(
    { envelope, payload, signature }: ReturnType<KeylessPlace['envelope']>,
    by: Issued,
    at = new Date(),
  ): LogEntry {
    return this.sigstore.log.entry(envelopeBody(json(envelope), payload, signature, by), at);
  }

  async bundle(parts: BundleParts = {}): Promise<Descriptor> {
    const { certificate = this.sigstore.certificate(), timestamps = [], changes, material, at } = parts;
    const { signed = this.envelope(certificate) } = parts;
    const { logEntries = [this.logEntry(this.entryOf(signed, certificate, at))] } = parts;
    const verificationMaterial = {
      certificate: { rawBytes: certificate.der.toString('base64') },
      tlogEntries: logEntries,
      timestampVerificationData: {
        rfc3161Timestamps: timestamps.map((bytes) => ({ signedTimestamp: Buffer.from(bytes).toString('base64') })),
      },
      ...material,
    };
    return this.place.bundle(signed.envelope, { verificationMaterial, ...changes });
  }

  /** A timestamp of an envelope's signature. */
  timestampOf({ signature }: { readonly signature: string }, at?: Date): Buffer {
    return this.sigstore.clock.answer(Buffer.from(signature, 'base64'), at ? { at } : {});
  }

  /** Puts a signature under the tag, as cosign 2 does. */
  async tag(parts: LayerParts = {}): Promise<void> {
    const { certificate = this.sigstore.certificate(), annotations = {}, at = new Date() } = parts;
    const { place, sigstore } = this;
    const payload = json(place.claims());
    const { signature = place.signature(payload, certificate.privateKey) } = parts;
    const layer = await place.layer(payload, signature);
    const entry = sigstore.log.entry(bytesBody(payload, signature, certificate), at);
    await place.tag({
      ...layer,
      annotations: {
        ...layer.annotations,
        [layerAnnotations.certificate]: certificate.pem,
        [layerAnnotations.chain]: sigstore.intermediate.pem + sigstore.root.pem,
        [layerAnnotations.logEntry]: this.annotationOf(entry),
        ...annotations,
      },
    });
  }

  /** Puts an attestation under its tag, as cosign 2 does. @param logged What the log has instead. */
  async attested({ logged }: { readonly logged?: ReturnType<KeylessPlace['envelope']> } = {}): Promise<void> {
    const { place, sigstore } = this;
    const certificate = sigstore.certificate();
    const signed = this.envelope(certificate, place.attestation());
    const annotations = {
      [layerAnnotations.certificate]: certificate.pem,
      [layerAnnotations.chain]: sigstore.intermediate.pem + sigstore.root.pem,
      [layerAnnotations.logEntry]: this.annotationOf(this.entryOf(logged ?? signed, certificate)),
    };
    const config = await place.blob(mediaTypes.ociConfig, json({}));
    const layer = await place.blob(envelopeType, json(signed.envelope));
    await place.push({ config, layers: [{ ...layer, annotations }] }, digestTag(place.image.descriptor.digest, 'att'));
  }

  annotationOf(entry: LogEntry): string {
    const { integratedTime, logIndex, body } = entry;
    const logID = this.sigstore.log.id.toString('hex');
    return JSON.stringify({
      SignedEntryTimestamp: this.sigstore.log.promise(entry),
      Payload: { body: body.toString('base64'), integratedTime, logIndex, logID },
    });
  }

  authority({
    identity = exactly(ciIdentity),
    issuer = exactly(ciIssuer),
    root = this.sigstore.trustedRoot(),
  }: Identities = {}) {
    return certificateAuthority({ identity, issuer, root: readTrustedRoot(json(root), 'root.json') });
  }

  verify(identities: Identities = {}): Promise<readonly Verdict[]> {
    return this.place.verify({ authorities: [this.authority(identities)] });
  }
}
