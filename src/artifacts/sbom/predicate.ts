/** Takes statements out of what keeps them: an in-toto statement, an envelope of DSSE, a bundle of sigstore. */
import { fromBase64 } from '../../model/base64.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { isObject, JsonDepthError, parseJson } from '../../model/json.ts';
import { JsonText } from '../../model/json-text.ts';
import { quote } from '../../model/quote.ts';
import type { Envelope } from './sbom-types.ts';

/** What a statement says. */
interface Predicate {
  readonly predicateType: string;
  /** As it is written in the statement; of a predicate that is a text, that text. */
  readonly bytes: Uint8Array;
}

const statementType = 'application/vnd.in-toto+json';

/**
 * The predicate of a statement. No signature is verified.
 *
 * @param name Of the attestation, in messages.
 * @param about Manifests, of which it has to be about one.
 * @throws OciError MANIFEST_INVALID for what is no statement; REFUSED for one that is about something else.
 * @see https://github.com/in-toto/attestation/blob/v1.1.0/spec/v1/statement.md
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
 */
export function readPredicate(
  { bytes, envelope, name }: { readonly bytes: Uint8Array; readonly envelope: Envelope; readonly name: string },
  about: readonly Digest[],
): Predicate {
  const invalid = (problem: string, cause?: unknown): OciError =>
    new OciError('MANIFEST_INVALID', `the attestation ${name} cannot be read: ${problem}`, { cause });
  const parse = (text: string, what: string): Readonly<Record<string, unknown>> => {
    const value = attempt(
      () => parseJson(text),
      (cause) => invalid(`${what} ${cause instanceof JsonDepthError ? 'is nested too deep' : 'is not JSON'}`, cause),
    );
    if (isObject(value)) return value;
    throw invalid(`${what} is not a JSON object`);
  };
  const decode = (raw: Uint8Array, what: string): string =>
    attempt(
      () => new TextDecoder('utf-8', { fatal: true }).decode(raw),
      (cause) => invalid(`${what} is not UTF-8`, cause),
    );
  let text = decode(bytes, 'it');
  if (envelope !== 'statement') {
    const whole = parse(text, 'it');
    const signed = envelope === 'bundle' ? whole['dsseEnvelope'] : whole;
    if (!isObject(signed)) throw invalid('the bundle has no envelope of a statement');
    const { payloadType, payload } = signed;
    if (payloadType !== statementType) throw invalid(`its payload is ${shown(payloadType)}, not a statement`);
    const decoded =
      typeof payload === 'string' ? fromBase64(payload.replaceAll('-', '+').replaceAll('_', '/')) : undefined;
    if (!decoded) throw invalid('its payload is not base64');
    text = decode(decoded, 'its payload');
  }
  const statement = parse(text, 'the statement');
  const { predicateType, subject } = statement;
  if (typeof predicateType !== 'string') throw invalid('the statement has no predicate type');
  if (!Array.isArray(subject)) throw invalid('the statement has no subject');
  if (!subject.some((one) => isAbout(one, about))) {
    throw new OciError('REFUSED', `the attestation ${name} is about another image: it was not taken`);
  }
  const predicate = JsonText.read(text).textOf('predicate');
  if (predicate === undefined) throw invalid('the statement has no predicate');
  const value = statement['predicate'];
  return { predicateType, bytes: Buffer.from(typeof value === 'string' ? value : predicate) };
}

function isAbout(subject: unknown, about: readonly Digest[]): boolean {
  const digests = isObject(subject) ? subject['digest'] : undefined;
  return isObject(digests) && about.some((digest) => digests[digestAlgorithm(digest)] === digestHex(digest));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? quote(value) : 'of no type';
}

function attempt<T>(act: () => T, explain: (error: SyntaxError | TypeError) => OciError): T {
  try {
    return act();
  } catch (error) {
    // A decoder reports what is not UTF-8 as a TypeError.
    if (error instanceof SyntaxError || error instanceof TypeError) throw explain(error);
    throw error;
  }
}
