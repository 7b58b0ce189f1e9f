/** An image with signatures of notation, of which single parts can be forged. */
import type { Registry } from '../../../src/registry/registry.ts';
import { readCertificate } from '../../../src/trust/certificates/certificate.ts';
import { storeAuthority } from '../../../src/trust/notation/store-authority.ts';
import type { TrustStore } from '../../../src/trust/notation/trust-store.ts';
import type { Verdict } from '../../../src/trust/verify/verdict.ts';
import type { Issued } from '../../support/trust/certificates.ts';
import { type JwsParts, jws, TestCompany } from '../../support/trust/notation.ts';
import { TimestampAuthority } from '../../support/trust/timestamps.ts';
import { json, SignedPlace } from '../support/signing.ts';

const type = 'application/vnd.cncf.notary.signature';

export class NotationPlace {
  readonly place: SignedPlace;
  readonly company = new TestCompany();
  readonly clock = new TimestampAuthority();

  private constructor(place: SignedPlace) {
    this.place = place;
  }

  static async create(registry?: Registry): Promise<NotationPlace> {
    return new NotationPlace(await SignedPlace.create(registry));
  }

  /** What notation signs of the image. */
  target(changes: object = {}): object {
    const { mediaType, digest, size } = this.place.image.descriptor;
    return { mediaType, digest, size, ...changes };
  }

  envelope(parts: Partial<JwsParts> = {}): Buffer {
    const { by = this.company.certificate() } = parts;
    return jws({ by, chain: [by.der, this.company.root.der], target: this.target(), ...parts });
  }

  async sign(parts: Partial<JwsParts> = {}): Promise<undefined> {
    return this.attach(this.envelope(parts));
  }

  /** As notation-go does it. */
  async attach(bytes: Uint8Array, mediaType = 'application/jose+json'): Promise<undefined> {
    const { mediaType: subjectType, digest, size } = this.place.image.descriptor;
    const config = await this.place.blob(type, json({}));
    const layers = [await this.place.blob(mediaType, bytes)];
    await this.place.push({ artifactType: type, config, layers, subject: { mediaType: subjectType, digest, size } });
    return undefined;
  }

  /** What trusts the company and its clock. */
  store(changes: Partial<Record<'authorities' | 'signingAuthorities' | 'clocks', readonly Issued[]>> = {}): TrustStore {
    const { authorities = [this.company.root], signingAuthorities = [], clocks = [] } = changes;
    const read = (list: readonly Issued[]) => list.map(({ der }) => readCertificate(der));
    return {
      name: 'certs',
      authorities: read(authorities),
      signingAuthorities: read(signingAuthorities),
      clocks: read(clocks),
    };
  }

  verify(
    changes: Parameters<NotationPlace['store']>[0] = {},
    rules: Parameters<SignedPlace['verify']>[0] = {},
  ): Promise<readonly Verdict[]> {
    return this.place.verify({ authorities: [storeAuthority(this.store(changes))], ...rules });
  }
}
