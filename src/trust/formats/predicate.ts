/** What a file must hold to be attested as something. */
import { OciError } from '../../model/errors.ts';
import { isObject, JsonDepthError, parseJson } from '../../model/json.ts';
import { onOneLine } from '../../model/json-text.ts';
import { parsePredicateType } from './predicate-types.ts';

/** So that what is attested can be verified: an envelope is a third longer, and `verify-attestation` reads 64 MiB. */
export const maxPredicateBytes = 40 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

/** What a document of a type has, by which one of another type is recognised; the message says what is missing. */
const documents: Readonly<Record<string, { readonly what: string; readonly has: (fields: Fields) => boolean }>> = {
  [parsePredicateType('slsaprovenance')]: {
    what: 'SLSA provenance 0.2, which has builder.id and buildType',
    has: ({ builder, buildType }) => hasText(builder, 'id') && typeof buildType === 'string',
  },
  [parsePredicateType('slsaprovenance1')]: {
    what: 'SLSA provenance 1, which has buildDefinition and runDetails',
    has: ({ buildDefinition, runDetails }) => isObject(buildDefinition) && isObject(runDetails),
  },
  [parsePredicateType('spdxjson')]: {
    what: 'SPDX in JSON, which has spdxVersion, or since SPDX 3 an @context of spdx.org',
    has: (fields) => hasText(fields, 'spdxVersion', /^SPDX-/) || hasText(fields, '@context', /^https?:\/\/spdx\.org\//),
  },
  [parsePredicateType('cyclonedx')]: {
    what: 'CycloneDX in JSON, which has the bomFormat CycloneDX',
    has: (fields) => hasText(fields, 'bomFormat', /^CycloneDX$/),
  },
  [parsePredicateType('openvex')]: {
    what: 'OpenVEX, which has an @context of openvex.dev',
    has: (fields) => hasText(fields, '@context', /^https:\/\/openvex\.dev\/ns/),
  },
  [parsePredicateType('link')]: {
    what: 'a link of in-toto, which has the _type link',
    has: (fields) => hasText(fields, '_type', /^link$/),
  },
};

/**
 * The predicate of a file, in JSON.
 *
 * @param type A short name of cosign, or a URI. cosign puts the text of a file into the predicates `spdx` and `custom`, and
 *   its JSON into all others.
 * @param where The file, for messages.
 * @param now For `custom`, which has the time.
 * @throws OciError USAGE for what is no such document
 */
export function readPredicate(bytes: Uint8Array, type: string, where: string, now: Date): string {
  const text = textOf(bytes, where);
  if (type === 'spdx') {
    if (/\bSPDXVersion:|\bspdxVersion\b|\bspdx\.org\/(?:rdf|spdx)\b/.test(text)) return JSON.stringify(text);
    throw notSuch(where, 'an SPDX document, which has SPDXVersion');
  }
  const predicateType = parsePredicateType(type);
  if (predicateType === parsePredicateType('custom')) {
    return JSON.stringify({ Data: text, Timestamp: now.toISOString().replace(/\.\d+Z$/, 'Z') });
  }
  const fields = objectOf(text, where);
  if (hasText(fields, '_type', /^https:\/\/in-toto\.io\/Statement\//) || typeof fields['payloadType'] === 'string') {
    throw new OciError('USAGE', `${where} holds a whole statement or envelope instead of a predicate`, {
      hint: 'give what is in its field predicate',
    });
  }
  const document = Object.hasOwn(documents, predicateType) ? documents[predicateType] : undefined;
  if (document && !document.has(fields)) throw notSuch(where, document.what);
  return onOneLine(text);
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new OciError('USAGE', `${where} is not text in UTF-8`);
  }
}

function objectOf(text: string, where: string): Fields {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const problem = error instanceof JsonDepthError ? error.message : 'it is not JSON';
    throw new OciError('USAGE', `${where} cannot be attested: ${problem}`);
  }
  if (isObject(value)) return value;
  throw new OciError('USAGE', `${where} cannot be attested: it is not a JSON object`);
}

function hasText(value: unknown, name: string, grammar = /./): boolean {
  const text = isObject(value) ? value[name] : undefined;
  return typeof text === 'string' && grammar.test(text);
}

function notSuch(where: string, what: string): OciError {
  return new OciError('USAGE', `${where} is not ${what}`, {
    hint: 'name the right file with --predicate, or the right type with --type',
  });
}
