/** What @sigstore/verify found, in words that say what it means. */
import type { VerificationError } from '@sigstore/verify';

/** By beginnings of its messages, the longest chain of causes first. */
const meanings: readonly (readonly [string, string])[] = [
  ['certificate is not valid or expired', 'its certificate was not valid when it was signed'],
  ['no valid certificate path found', 'its certificate is not issued by an authority of the trusted root'],
  ['no trusted certificate path found', 'its certificate is not issued by an authority of the trusted root'],
  ['intermediate certificate is not a CA', 'a certificate above its own is not that of an authority'],
  ['path length constraint exceeded', 'the chain of its certificate is longer than one above allows'],
  ['incorrect certificate name chaining', 'the names in the chain of its certificate do not follow each other'],
  ['Failed to verify certificate chain', 'no authority of the trusted root issued certificates when it was signed'],
  ['duplicate timestamp', 'it has the same timestamp twice'],
  [
    'timestamp could not be verified',
    'its timestamp is not of an authority of the trusted root, or of another signature',
  ],
  ['duplicate SCT', 'its certificate is in the same log twice'],
  ['SCT verification failed', 'the log of certificates has not signed for its certificate'],
  ['signature verification failed', 'it is not signed by the key of its certificate'],
  [
    'inclusion promise could not be verified',
    'the promise of its log entry is not of a log of the trusted root, or of another entry',
  ],
  ['inclusion could not be verified', 'nothing proves that its log entry is in the log'],
  ['invalid checkpoint signature', 'the proof of its log entry is not signed by a log of the trusted root'],
  ['calculated root hash does not match', 'its log entry is not in the log that it names'],
];

export function verificationProblem({ code, message, cause }: VerificationError): string {
  const texts = [cause instanceof Error ? cause.message : '', message];
  for (const text of texts) {
    const found = meanings.find(([beginning]) => text.startsWith(beginning));
    if (found) return found[1];
  }
  if (/^expected \d+ timestamps/.test(message))
    return 'nothing shows when it was signed: it has neither a log entry nor a timestamp';
  if (/^expected \d+ SCTs/.test(message)) return 'its certificate is in no log of certificates';
  if (/^expected \d+ tlog entries/.test(message)) return 'it has no log entry, which the trusted root asks for';
  if (code === 'TLOG_BODY_ERROR') return 'its log entry is that of another signature';
  return 'its log entry is malformed, or not in the log';
}
