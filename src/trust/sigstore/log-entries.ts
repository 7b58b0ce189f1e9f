/**
 * What a log entry has to be besides what @sigstore/verify checks: of this certificate, given once, and harmless to look at.
 *
 * @see https://github.com/sigstore/rekor/tree/v1.4.3/pkg/types
 */
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { fromBase64 } from '../../model/base64.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { decodeText, InvalidSignature } from '../formats/invalid.ts';
import { pemBlocks } from '../keys/pem.ts';

/** Signers write one. */
const maxEntries = 8;
const maxHashes = 64;
const maxCheckpointBytes = 16 * 1024;
/** Of a log in a checkpoint: a host, with a path perhaps. @sigstore/verify makes an expression of it. */
const logName = /^[A-Za-z0-9.:/_-]{1,256}$/;
/** As @sigstore/verify finds them. */
const checkpointSignatures = /\u2014 (\S+) (\S+)\n/g;

/** @param certificate In DER. @throws InvalidSignature */
export function checkLogEntries(entries: readonly TransparencyLogEntry[], certificate: Uint8Array): void {
  if (entries.length > maxEntries) throw new InvalidSignature(`it has more than ${maxEntries} log entries`);
  const seen = new Set<string>();
  for (const entry of entries) {
    checkBounds(entry);
    const { logId, logIndex, canonicalizedBody } = entry;
    const body = Buffer.from(canonicalizedBody).toString('base64');
    const names = [JSON.stringify([Buffer.from(logId?.keyId ?? []).toString('hex'), logIndex]), body];
    if (names.some((name) => seen.has(name))) throw new InvalidSignature('it has the same log entry twice');
    for (const name of names) seen.add(name);
    if (!isOf(canonicalizedBody, certificate)) {
      throw new InvalidSignature('its log entry is not that of its certificate');
    }
  }
}

function checkBounds({ inclusionProof, logIndex, integratedTime }: TransparencyLogEntry): void {
  if (![logIndex, integratedTime].every((text) => Number.isSafeInteger(Number(text)) && Number(text) >= 0)) {
    throw new InvalidSignature('its log entry has no number or no time');
  }
  if (!inclusionProof) return;
  const envelope = inclusionProof.checkpoint?.envelope ?? '';
  const isSmall = inclusionProof.hashes.length <= maxHashes && envelope.length <= maxCheckpointBytes;
  const names = isSmall ? [...envelope.matchAll(checkpointSignatures)].map(([, name = '']) => name) : [];
  if (!isSmall || !/^\d{1,20}$/.test(inclusionProof.logIndex) || !names.every((name) => logName.test(name))) {
    throw new InvalidSignature('the proof of its log entry is malformed');
  }
}

/** Whether the entry names that certificate, and no other. */
function isOf(bytes: Uint8Array, certificate: Uint8Array): boolean {
  const body = tryParseObject(decodeText(bytes));
  const named = body ? certificatesOf(body) : [];
  return named.length === 1 && named[0] !== undefined && Buffer.from(named[0]).equals(certificate);
}

function certificatesOf({
  kind,
  apiVersion,
  spec,
}: Readonly<Record<string, unknown>>): readonly (Uint8Array | undefined)[] {
  switch (`${kind}/${apiVersion}`) {
    case 'hashedrekord/0.0.1':
      return [fromPem(at(spec, 'signature', 'publicKey', 'content'))];
    case 'dsse/0.0.1':
      return list(at(spec, 'signatures')).map((one) => fromPem(at(one, 'verifier')));
    case 'intoto/0.0.2':
      return list(at(spec, 'content', 'envelope', 'signatures')).map((one) => fromPem(at(one, 'publicKey')));
    case 'hashedrekord/0.0.2':
      return [fromRaw(at(spec, 'hashedRekordV002', 'signature', 'verifier'))];
    case 'dsse/0.0.2':
      return list(at(spec, 'dsseV002', 'signatures')).map((one) => fromRaw(at(one, 'verifier')));
    default:
      throw new InvalidSignature('its log entry is of a kind that is not known');
  }
}

/** PEM, in base64 once more. */
function fromPem(value: unknown): Uint8Array | undefined {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  const [block, another] = bytes ? pemBlocks(decodeText(bytes)) : [];
  return another ? undefined : block?.bytes;
}

function fromRaw(verifier: unknown): Uint8Array | undefined {
  const raw = at(verifier, 'x509Certificate', 'rawBytes');
  return typeof raw === 'string' ? fromBase64(raw) : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((found: unknown, name) => (isObject(found) ? found[name] : undefined), value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
