/** An image in a registry in memory, and signatures for it, of which single parts can be forged. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { digestBytes } from '../../../src/model/digest.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { digestTag } from '../../../src/model/reference/digest-tag.ts';
import type { Tag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { bundleType } from '../../../src/trust/formats/bundle.ts';
import { envelopeType, inTotoType } from '../../../src/trust/formats/dsse.ts';
import { signatureAnnotation, simpleSigningType } from '../../../src/trust/formats/simple-signing.ts';
import { signBytes } from '../../../src/trust/keys/key-kind.ts';
import type { AttestedRule } from '../../../src/trust/verify/attested.ts';
import { keyAuthority } from '../../../src/trust/verify/key-authority.ts';
import type { SignatureRules } from '../../../src/trust/verify/rules.ts';
import type { Verdict } from '../../../src/trust/verify/verdict.ts';
import { type AttestationVerdict, judgeAttestations, judgeSignatures } from '../../../src/trust/verify/verify.ts';
import { app, imageFor, one } from '../../commands/copy/places.ts';
import { type Built, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';

export const repository = 'registry.example.com/team/app';

export function newKey(namedCurve = 'P-256'): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve });
}

export class SignedPlace {
  readonly registry: Registry;
  readonly owner = newKey();
  readonly stranger = newKey();

  readonly image: Built;
  /** Another, in the same repository. */
  readonly other: Built;

  private constructor(registry: Registry, image: Built, other: Built) {
    this.registry = registry;
    this.image = image;
    this.other = other;
  }

  static async create(registry: Registry = memoryRegistry()): Promise<SignedPlace> {
    const place = new SignedPlace(registry, await imageFor('amd64', ['a']), await imageFor('arm64', ['b']));
    await pushImage(place.registry, app, one, place.image);
    await pushImage(place.registry, app, undefined, place.other);
    return place;
  }

  get digest(): string {
    return this.image.descriptor.digest;
  }

  /** What cosign signs under a tag. */
  claims(critical: object = {}, optional: object | null = null): object {
    const signed = {
      identity: { 'docker-reference': repository },
      image: { 'docker-manifest-digest': this.digest },
      type: 'cosign container image signature',
    };
    return { critical: { ...signed, ...critical }, optional };
  }

  statement(changes: object = {}): object {
    return {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: this.digest.slice(7) } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      ...changes,
    };
  }

  signature(bytes: Uint8Array, key: KeyObject = this.owner.privateKey): string {
    return Buffer.from(signBytes(key, bytes)).toString('base64');
  }

  async blob(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const descriptor = { mediaType, digest: await digestBytes(bytes), size: bytes.length };
    await this.registry.pushBlob(app, descriptor, bytesSource(descriptor, bytes));
    return descriptor;
  }

  /** A layer with a signature of a payload. */
  async layer(payload: Uint8Array, signature = this.signature(payload)): Promise<Descriptor> {
    return { ...(await this.blob(simpleSigningType, payload)), annotations: { [signatureAnnotation]: signature } };
  }

  async push(document: object, tag?: Tag): Promise<Descriptor> {
    const bytes = json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, ...document });
    return this.registry.pushManifest(app, { mediaType: mediaTypes.ociManifest, bytes }, { tags: tag ? [tag] : [] });
  }

  /** Puts layers under the tag for signatures of the image. */
  async tag(...layers: readonly Descriptor[]): Promise<void> {
    await this.#tag('sig', layers);
  }

  async #tag(suffix: 'sig' | 'att', layers: readonly Descriptor[]): Promise<void> {
    const config = await this.blob(mediaTypes.ociConfig, json({}));
    await this.push({ config, layers }, digestTag(this.image.descriptor.digest, suffix));
  }

  /** What cosign attests: where nothing else is said, SLSA provenance. */
  attestation(changes: object = {}): object {
    return this.statement({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      predicate: { builder: { id: 'https://builder.example.com' }, buildType: 'any' },
      ...changes,
    });
  }

  /** An attestation in its envelope. */
  enveloped(changes: object = {}): object {
    return this.envelope(json(this.attestation(changes)));
  }

  /** Puts envelopes, or other bytes, under the tag for attestations of the image. */
  async attested(...envelopes: readonly (object | Uint8Array)[]): Promise<void> {
    const layers: Descriptor[] = [];
    for (const envelope of envelopes) {
      const blob = await this.blob(envelopeType, envelope instanceof Uint8Array ? envelope : json(envelope));
      layers.push({ ...blob, annotations: { [signatureAnnotation]: '' } });
    }
    await this.#tag('att', layers);
  }

  /** An envelope of a statement, signed as the format demands unless the type that is signed is another. */
  envelope(
    statement: Uint8Array,
    opts: { readonly key?: KeyObject; readonly type?: string; readonly signedType?: string } = {},
  ): object {
    const { key = this.owner.privateKey, type = inTotoType } = opts;
    const { signedType = type } = opts;
    const pae = Buffer.concat([
      Buffer.from(`DSSEv1 ${signedType.length} ${signedType} ${statement.length} `),
      statement,
    ]);
    const payload = Buffer.from(statement).toString('base64');
    return { payload, payloadType: type, signatures: [{ sig: this.signature(pae, key) }] };
  }

  /** Attaches a bundle to the image, or to another subject. */
  async bundle(dsseEnvelope: unknown, changes: object = {}, subject: Descriptor = this.image.descriptor) {
    const material = { publicKey: { hint: 'any' } };
    const document = { mediaType: bundleType, verificationMaterial: material, dsseEnvelope, ...changes };
    return this.attach(json(document), subject);
  }

  async attach(bytes: Uint8Array, { mediaType, digest, size }: Descriptor = this.image.descriptor) {
    const config = await this.blob(mediaTypes.ociEmpty, json({}));
    const layers = [await this.blob(bundleType, bytes)];
    return this.push({ artifactType: bundleType, config, layers, subject: { mediaType, digest, size } });
  }

  verify(rules: Partial<SignatureRules> = {}, registry: Registry = this.registry): Promise<readonly Verdict[]> {
    const { digest } = this.image.descriptor;
    const authorities = [keyAuthority('owner.pub', this.owner.publicKey)];
    const name = { repository, exact: `${repository}:1` };
    return judgeSignatures({
      registry,
      repo: app,
      digest,
      rules: { authorities, reference: 'any', name, annotations: {}, ...rules },
    });
  }

  /** Judges the attestations of the image. */
  verifyAttestations(
    attested: AttestedRule = {},
    rules: Partial<SignatureRules> = {},
    registry: Registry = this.registry,
  ): Promise<readonly AttestationVerdict[]> {
    const { digest } = this.image.descriptor;
    const authorities = [keyAuthority('owner.pub', this.owner.publicKey)];
    const name = { repository, exact: `${repository}:1` };
    return judgeAttestations({
      registry,
      repo: app,
      digest,
      rules: { authorities, reference: 'any', name, ...rules, attested },
    });
  }
}

export function json(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}
