/** Signatures of notation that count, as a check of the forged ones. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeSigning, extensions, hour, issue, newKeys } from '../../support/trust/certificates.ts';
import { headerNames } from '../../support/trust/notation.ts';
import { NotationPlace } from './notation-place.ts';

import { asAuthority, rsa, type Stores, stamped, text } from './signing-cases.ts';

const { scheme, expiry } = headerNames;

const counting: Readonly<Record<string, (place: NotationPlace) => Promise<Stores | undefined>>> = {
  'by ECDSA': async (place) => await place.sign(),
  'on P-384': async (place) =>
    await place.sign({ by: place.company.certificate({ keys: newKeys('P-384') }), header: { alg: 'ES384' } }),
  'on P-521': async (place) =>
    await place.sign({ by: place.company.certificate({ keys: newKeys('P-521') }), header: { alg: 'ES512' } }),
  'by RSA': async (place) =>
    await place.sign({ by: place.company.certificate({ keys: rsa(2048) }), header: { alg: 'PS256' } }),
  'that expires later': async (place) =>
    await place.sign({ header: { crit: [scheme, expiry], [expiry]: text(new Date(Date.now() + hour)) } }),
  'by a certificate that does not say what it is for': async (place) =>
    await place.sign({ by: place.company.certificate({ usages: [] }) }),
  'by a certificate that has expired, with a timestamp from before': async (place) => {
    await stamped(place);
    return { clocks: [place.clock.root] };
  },
  'by a signing authority, at the time that it says': async (place) => {
    const at = new Date(Date.now() - 2 * hour);
    const by = place.company.certificate({ from: new Date(at.getTime() - hour), until: new Date(at.getTime() + hour) });
    await place.sign({ by, header: asAuthority(at) });
    return { authorities: [], signingAuthorities: [place.company.root] };
  },
  'by a certificate that is trusted itself': async (place) => {
    const by = issue({ name: 'Own', extensions: [extensions.keyUsage(0), extensions.usage(codeSigning)] });
    await place.sign({ by, chain: [by.der] });
    return { authorities: [by] };
  },
};

describe('a signature of notation counts', () => {
  for (const [name, sign] of Object.entries(counting)) {
    it(name, async () => {
      const place = await NotationPlace.create();
      const verdicts = await place.verify((await sign(place)) ?? {});
      assert.deepEqual(
        verdicts.map(({ form, reason }) => [form, reason]),
        [['notation', undefined]],
      );
      const { kind, name: store, identity } = verdicts[0]?.accepted?.signedBy ?? {};
      assert.deepEqual([kind, store], ['trust-store', 'certs']);
      assert.match(identity ?? '', /^O=ocictl tests, CN=(Signer|Own)$/);
    });
  }

  it('with the annotation that is asked for', async () => {
    const place = await NotationPlace.create();
    await place.sign({ target: place.target({ annotations: { env: 'prod' } }) });
    assert.ok((await place.verify({}, { annotations: { env: 'prod' } }))[0]?.accepted);
    const [other] = await place.verify({}, { annotations: { env: 'test' } });
    assert.match(other?.reason ?? '', /annotation "env" is "prod"/);
  });
});
