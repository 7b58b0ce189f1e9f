/** The parsers of what signatures consist of. Each is fed with text, as the bytes that it stands for. */
import { readPemCertificates } from '../../src/trust/certificates/certificate.ts';
import { derOid, derTime, readDer, refuseDeepNesting } from '../../src/trust/certificates/der.ts';
import { readBundle } from '../../src/trust/formats/bundle.ts';
import { InvalidSignature } from '../../src/trust/formats/invalid.ts';
import { readNotationEnvelope } from '../../src/trust/notation/envelope.ts';
import { verifyTimestamp } from '../../src/trust/notation/timestamp.ts';
import { readProof } from '../../src/trust/sigstore/evidence.ts';
import { checkLogEntries } from '../../src/trust/sigstore/log-entries.ts';
import type { HostileCase } from './parsers.ts';

/** What a signature is refused for is no fault. */
function refusing(parse: (text: string) => unknown): (text: string) => unknown {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidSignature)) throw error;
      return undefined;
    }
  };
}

const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1');
/** Nested values of DER, and the heads of long ones. */
const derPieces = [
  '0\u0080',
  '\u0004\u0080',
  '0\u0082\u00ff\u00ff',
  '\u0004\u0082\u00ff\u00f0',
  '\u0004\u0002\u0004\u0000',
  '\u0005\u0000',
  '\u00a0\u0002\u0005\u0000',
];
const derStarts = ['0\u0083\u0000\u00ff\u00ff', '\u0004\u0083\u0000\u00ff\u00ff'];

function entry(envelope: string, body: string) {
  return {
    logIndex: '1',
    logId: { keyId: Buffer.alloc(32) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: '1',
    inclusionPromise: undefined,
    inclusionProof: { logIndex: '1', treeSize: '2', rootHash: Buffer.alloc(32), hashes: [], checkpoint: { envelope } },
    canonicalizedBody: Buffer.from(body),
  };
}

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const proofs = (bytes: number): readonly string[] => {
  const list = (piece: string): string =>
    `[${Array(Math.floor(bytes / (piece.length + 1)))
      .fill(piece)
      .join(',')}]`;
  const material = [
    `{"certificate":{"rawBytes":"${'A'.repeat(bytes)}"}}`,
    `{"x509CertificateChain":{"certificates":${list('{"rawBytes":"AAAA"}')}}}`,
    `{"certificate":{"rawBytes":"AAAA"},"tlogEntries":${list('{"logId":{},"kindVersion":{},"inclusionProof":{"checkpoint":{}}}')}}`,
    `{"certificate":{"rawBytes":"AAAA"},"timestampVerificationData":{"rfc3161Timestamps":${list('{"signedTimestamp":"AAAA"}')}}}`,
  ];
  const envelope = '{"payload":"AAAA","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AAAA"}]}';
  const type = '"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"';
  return material.map((one) => `{${type},"verificationMaterial":${one},"dsseEnvelope":${envelope}}`);
};

export const signatureParsers: Readonly<Record<string, HostileCase>> = {
  DER: { parse: refusing((text) => readDer(latin(text))), starts: derStarts, pieces: derPieces },
  'nesting of DER': { parse: refusing((text) => refuseDeepNesting(latin(text))), starts: derStarts, pieces: derPieces },
  'identifier in DER': {
    parse: refusing((text) => derOid({ tag: 6, whole: latin(text), content: latin(text), children: [] })),
  },
  'time in DER': {
    parse: refusing((text) => derTime({ tag: 24, whole: latin(text), content: latin(text), children: [] })),
    starts: ['20260101000000.'],
  },
  'token of a clock': {
    parse: refusing((text) => verifyTimestamp(latin(text), latin(''), [])),
    starts: derStarts,
    pieces: derPieces,
  },
  'certificates in PEM': {
    parse: refusing((text) => readPemCertificates(text, { max: 16 })),
    starts: ['-----BEGIN CERTIFICATE-----\n'],
    pieces: [
      '-----BEGIN CERTIFICATE-----\n',
      '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
      '-----BEGIN A-----\nA',
    ],
  },
  'bundle of sigstore': { parse: refusing((text) => readProof(readBundle(Buffer.from(text)).evidence)), texts: proofs },
  'annotations of sigstore': {
    parse: refusing((text) => readProof({ kind: 'layer', annotations: { 'dev.sigstore.cosign/certificate': text } })),
    starts: ['-----BEGIN CERTIFICATE-----\n'],
  },
  'checkpoint of a log': {
    parse: refusing((text) => checkLogEntries([entry(text, '{}')], Buffer.from(''))),
    starts: ['a\n2\nAAAA\n\n', 'a\n2\nAAAA\n\n\u2014 '],
    pieces: ['\u2014 ', '\u2014 a', '\u2014 a \u2014', '\u2014 a A\n'],
  },
  'body of a log entry': {
    parse: refusing((text) => checkLogEntries([entry('', text)], Buffer.from(''))),
    texts: (bytes) => [
      `{"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[${Array(Math.floor(bytes / 20))
        .fill('{"verifier":"AAAA"}')
        .join(',')}]}}`,
      `{"kind":"dsse","apiVersion":"0.0.1","spec":{"signatures":[{"verifier":"${encoded('-----BEGIN A-----\nA'.repeat(bytes / 24))}"}]}}`,
    ],
  },
  'envelope of notation': {
    parse: refusing((text) => readNotationEnvelope(Buffer.from(text))),
    texts: (bytes) => [
      `{"payload":"${'A'.repeat(bytes)}","protected":"${'A'.repeat(bytes)}","signature":"AA","header":{}}`,
      `{"payload":"AA","signature":"AA","header":{},"protected":"${Buffer.from(
        `{"alg":"ES256","cty":"application/vnd.cncf.notary.payload.v1+json","crit":[${Array(Math.floor(bytes / 34))
          .fill('"io.cncf.notary.signingScheme"')
          .join(',')}],"io.cncf.notary.signingScheme":"notary.x509"}`,
      ).toString('base64url')}"}`,
    ],
  },
};
