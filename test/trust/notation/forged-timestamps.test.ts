/** Timestamps of signatures of notation that show nothing. */
import { codeSigning, newKeys } from '../../support/trust/certificates.ts';
import { TimestampAuthority } from '../../support/trust/timestamps.ts';
import { describeForged, type Forged } from './forged.ts';
import { stamped } from './signing-cases.ts';

const forged: Readonly<Record<string, Forged>> = {
  'a timestamp of another signature': {
    forge: async (place) => {
      await stamped(place, place.clock, { imprint: Buffer.alloc(32) });
      return { clocks: [place.clock.root] };
    },
    reason: /timestamp is of another signature/,
  },
  'a timestamp by another key than that of its certificate': {
    forge: async (place) => {
      await stamped(place, place.clock, { key: newKeys().privateKey });
      return { clocks: [place.clock.root] };
    },
    reason: /timestamp is not signed by the certificate in it/,
  },
  'a timestamp that names another certificate as its own': {
    forge: async (place) => {
      await stamped(place, place.clock, { named: new TimestampAuthority().signer });
      return { clocks: [place.clock.root] };
    },
    reason: /timestamp is malformed/,
  },
  'a timestamp outside the validity of the certificate': {
    forge: async (place) => {
      await stamped(place, place.clock, { at: new Date() });
      return { clocks: [place.clock.root] };
    },
    reason: /alone, and not when it was signed/,
  },
  'a timestamp of a clock that is not trusted': {
    forge: async (place) => {
      await stamped(place, new TimestampAuthority());
      return { clocks: [place.clock.root] };
    },
    reason: /not of an authority that is trusted for that/,
  },
  'a timestamp by a certificate that is not for timestamps': {
    forge: async (place) => {
      const clock = new TimestampAuthority({ usage: codeSigning });
      await stamped(place, clock);
      return { clocks: [clock.root] };
    },
    reason: /not for timestamps alone/,
  },
  'a timestamp by a certificate whose use is not critical': {
    forge: async (place) => {
      const clock = new TimestampAuthority({ criticalUsage: false });
      await stamped(place, clock);
      return { clocks: [clock.root] };
    },
    reason: /not for timestamps alone/,
  },
  'a token that is no timestamp': {
    forge: async (place) => {
      await stamped(place, place.clock, { eContentType: '1.2.840.113549.1.7.1' });
      return { clocks: [place.clock.root] };
    },
    reason: /timestamp is malformed/,
  },
  'an expired certificate whose timestamp nobody is trusted for': {
    forge: (place) => stamped(place),
    reason: /now, by the clock of this machine/,
  },
};

describeForged('a forged timestamp', forged);
