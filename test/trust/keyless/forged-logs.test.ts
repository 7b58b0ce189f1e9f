import { hour } from '../../support/trust/certificates.ts';
import { octets } from '../../support/trust/der.ts';
import { bytesBody, envelopeBody, envelopeBodyV2 } from '../../support/trust/logs.ts';
import { TestSigstore } from '../../support/trust/sigstore.ts';
import { TimestampAuthority } from '../../support/trust/timestamps.ts';
import { json } from '../support/signing.ts';
import { describeForged, type Forged, signedWith } from './forged.ts';
import { type KeylessPlace, layerAnnotations } from './keyless-place.ts';

/** With a log entry that is changed. */
const withEntry =
  (change: (body: Record<string, unknown>) => object, promised = true) =>
  async (keyless: KeylessPlace): Promise<unknown> => {
    const certificate = keyless.sigstore.certificate();
    const signed = keyless.envelope(certificate);
    const { body, ...rest } = keyless.entryOf(signed, certificate);
    const changed = { ...rest, body: Buffer.from(json(change(JSON.parse(body.toString())))) };
    const entry = keyless.logEntry(changed, promised ? {} : { inclusionPromise: undefined });
    return keyless.bundle({ certificate, signed, logEntries: [entry] });
  };

const forged: Readonly<Record<string, Forged>> = {
  'the log entry of another bundle': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const other = keyless.envelope(certificate);
      return keyless.bundle({
        certificate,
        signed,
        logEntries: [keyless.logEntry(keyless.entryOf(other, certificate))],
      });
    },
    reason: /log entry is that of another signature/,
  },
  'the log entry of another bundle, under the tag': {
    forge: async (keyless) => {
      const certificate = keyless.sigstore.certificate();
      const entry = keyless.sigstore.log.entry(bytesBody(Buffer.from('other'), 'AAAA', certificate), new Date());
      return keyless.tag({ certificate, annotations: { [layerAnnotations.logEntry]: keyless.annotationOf(entry) } });
    },
    reason: /log entry is that of another signature/,
  },
  'a log entry that names another certificate': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const entry = keyless.entryOf(signed, keyless.sigstore.certificate());
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry)] });
    },
    reason: /log entry is not that of its certificate/,
  },
  'a log entry that names a key': {
    forge: withEntry((body) => {
      const verifier = Buffer.from('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n').toString('base64');
      const [signature] = (body['spec'] as { signatures: object[] }).signatures;
      return { ...body, spec: { ...(body['spec'] as object), signatures: [{ ...signature, verifier }] } };
    }),
    reason: /log entry is not that of its certificate/,
  },
  'a duplicate log entry': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const logEntries = [keyless.logEntry(entry), keyless.logEntry(entry)];
      return keyless.bundle({ certificate, signed, logEntries });
    },
    reason: /same log entry twice/,
  },
  'a duplicate log entry under another number': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const again = { ...entry, logIndex: entry.logIndex + 1, integratedTime: entry.integratedTime + 1 };
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry), keyless.logEntry(again)] });
    },
    reason: /same log entry twice/,
  },
  'no log entry': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      return keyless.bundle({ certificate, signed, logEntries: [], timestamps: [keyless.timestampOf(signed)] });
    },
    reason: /no log entry, which the trusted root asks for/,
  },
  'a certificate with neither log entry nor timestamp': {
    forge: async (keyless) => keyless.bundle({ logEntries: [] }),
    reason: /nothing shows when it was signed/,
  },
  'a certificate without a timestamp, whose log entry has only a proof': {
    forge: withEntry((body) => body, false),
    reason: /nothing shows when it was signed/,
  },
  'a timestamp outside the validity of the certificate': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const timestamps = [keyless.timestampOf(signed, new Date(Date.now() + hour))];
      const logEntries = [keyless.logEntry(keyless.entryOf(signed, certificate))];
      return keyless.bundle({ certificate, signed, logEntries, timestamps });
    },
    reason: /not valid when it was signed/,
  },
  'a timestamp of another signature': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const timestamps = [keyless.timestampOf(keyless.envelope(certificate))];
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry)], timestamps });
    },
    reason: /timestamp is not of an authority/,
  },
  'a timestamp of a clock that is not trusted': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const timestamps = [new TimestampAuthority().answer(Buffer.from(signed.signature, 'base64'))];
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry)], timestamps });
    },
    reason: /timestamp is not of an authority/,
  },
  'a promise of a log that is not trusted': {
    forge: async (keyless) => keyless.bundle(),
    identities: ({ sigstore }) => ({
      root: sigstore.trustedRoot({ tlogs: new TestSigstore().trustedRoot()['tlogs' as never] }),
    }),
    reason: /promise of its log entry is not of a log of the trusted root/,
  },
  'a promise of another time': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const integratedTime = String(entry.integratedTime + 1);
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry, { integratedTime })] });
    },
    reason: /promise of its log entry/,
  },
  'an entry of Rekor 2 that names another certificate': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const body = envelopeBodyV2(signed.payload, signed.signature, keyless.sigstore.certificate());
      const entry = keyless.sigstore.log.entry(body, new Date(0));
      const logEntries = [keyless.logEntry(entry, { inclusionPromise: undefined, integratedTime: '0' })];
      return keyless.bundle({ certificate, signed, logEntries, timestamps: [keyless.timestampOf(signed)] });
    },
    reason: /log entry is not that of its certificate/,
  },
  'a proof of a log whose key was withdrawn before': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const logEntries = [keyless.logEntry(entry, { inclusionPromise: undefined })];
      return keyless.bundle({ certificate, signed, logEntries, timestamps: [keyless.timestampOf(signed)] });
    },
    identities: ({ sigstore }) => {
      const [log] = sigstore.trustedRoot()['tlogs' as never] as { publicKey: object }[];
      const validFor = { start: '2020-01-01T00:00:00Z', end: '2021-01-01T00:00:00Z' };
      return { root: sigstore.trustedRoot({ tlogs: [{ ...log, publicKey: { ...log?.publicKey, validFor } }] }) };
    },
    reason: /proof of its log entry is not signed by a log of the trusted root/,
  },
  'a proof of another entry': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const inclusionProof = keyless.sigstore.log.proof({ ...entry, body: Buffer.from('{}') });
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry, { inclusionProof })] });
    },
    reason: /not in the log that it names/,
  },
  'a checkpoint whose name is an expression without end': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const { log } = keyless.sigstore;
      const hint = Buffer.concat([log.id.subarray(0, 4), Buffer.from('any signature')]).toString('base64');
      const envelope = `${log.host}\n2\nAAAA\n\n\u2014 (([a-z:/.]+)+)+! ${hint}\n`;
      const inclusionProof = { ...log.proof(entry), checkpoint: { envelope } };
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry, { inclusionProof })] });
    },
    reason: /proof of its log entry is malformed/,
  },
  'a log entry of an unknown kind': {
    forge: withEntry((body) => ({ ...body, kind: 'rekord' })),
    reason: /of a kind that is not known/,
  },
  'a log entry whose kind is said to be another': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const kindVersion = { kind: 'hashedrekord', version: '0.0.1' };
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry, { kindVersion })] });
    },
    reason: /another signature/,
  },
  'more log entries than anybody writes': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      return keyless.bundle({ certificate, signed, logEntries: Array(9).fill(keyless.logEntry(entry)) });
    },
    reason: /more than 8 log entries/,
  },
  'more timestamps than anybody writes': {
    forge: async (keyless) => keyless.bundle({ timestamps: Array(9).fill(Buffer.from('x')) }),
    reason: /more than 8 timestamps/,
  },
  'a timestamp that is nested without end': {
    forge: async (keyless) => {
      let timestamp = octets();
      for (let depth = 0; depth < 1000; depth += 1) timestamp = octets(timestamp);
      return keyless.bundle({ timestamps: [timestamp] });
    },
    reason: /nested too deep/,
  },
  'a timestamp that is not DER': {
    forge: async (keyless) => keyless.bundle({ timestamps: [Buffer.from('30', 'hex'), Buffer.from('ffff', 'hex')] }),
    reason: /malformed/,
  },
  'a log entry under the tag that is not JSON': {
    forge: async (keyless) => keyless.tag({ annotations: { [layerAnnotations.logEntry]: '{' } }),
    reason: /log entry is malformed/,
  },
  'a bundle whose proof lacks the checkpoint': {
    forge: async (keyless) => {
      const { certificate, signed, entry } = signedWith(keyless);
      const inclusionProof = { ...keyless.sigstore.log.proof(entry), checkpoint: undefined };
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry, { inclusionProof })] });
    },
    reason: /not a bundle of its version/,
  },
  'a log entry whose hash is that of other bytes': {
    forge: async (keyless) => {
      const { certificate, signed } = signedWith(keyless);
      const body = envelopeBody(json({}), Buffer.from('other'), signed.signature, certificate);
      const entry = keyless.sigstore.log.entry(body, new Date());
      return keyless.bundle({ certificate, signed, logEntries: [keyless.logEntry(entry)] });
    },
    reason: /log entry is that of another signature/,
  },
};

describeForged('a log entry or timestamp', forged);
