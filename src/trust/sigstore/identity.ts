/**
 * Who a certificate of Fulcio is for, and who vouched for it.
 *
 * @see https://github.com/sigstore/fulcio/blob/v1.8.4/docs/certificate-specification.md
 * @see https://github.com/sigstore/fulcio/blob/v1.8.4/docs/oid-info.md
 */
import { OciError } from '../../model/errors.ts';
import { matchesInTime, parseExpression, slowExpressionHint } from '../../model/patterns/expression.ts';
import { hiddenCharacter, quote } from '../../model/quote.ts';
import { type Certificate, extensionIds } from '../certificates/certificate.ts';
import { type Der, derOid, derTags, readDer } from '../certificates/der.ts';
import { decodeText, InvalidSignature } from '../formats/invalid.ts';

/** What an identity or an issuer has to be. */
export interface TextPattern {
  /** For messages. */
  readonly shown: string;
  /** @throws OciError USAGE for an expression that takes too long */
  matches(text: string): boolean;
}

export function exactly(text: string): TextPattern {
  return { shown: quote(text), matches: (other) => other === text };
}

/** All of the text has to match. @param option Where the expression is from, for messages. @throws OciError USAGE */
export function matchingWhole(expression: string, option: string): TextPattern {
  const parsed = parseExpression(expression, { whole: true });
  if (!parsed) {
    throw new OciError('USAGE', `${option}: ${quote(expression)} is not a regular expression`, {
      hint: 'it has to be one of ECMAScript; the whole name has to match it',
    });
  }
  return {
    shown: `/${expression}/`,
    matches(text) {
      const found = matchesInTime([text], parsed);
      if (found) return found.length > 0;
      throw new OciError('USAGE', `${option}: ${quote(expression)} takes too long`, { hint: slowExpressionHint });
    },
  };
}

interface CertifiedIdentity {
  /** An e-mail address, a URI, or a name without either. */
  readonly identity: string;
  /** The URL of who vouched for it; undefined for certificates of others than Fulcio. */
  readonly issuer: string | undefined;
}

const fulcioIds = {
  /** The bytes themselves; in certificates of today beside the other. */
  issuerV1: '1.3.6.1.4.1.57264.1.1',
  issuerV2: '1.3.6.1.4.1.57264.1.8',
  /** The type of a name that is neither an address nor a URI. */
  username: '1.3.6.1.4.1.57264.1.7',
} as const;

const [emailTag, uriTag, otherNameTag] = [0x81, 0x86, 0xa0];
const maxNameBytes = 2048;

/** @throws InvalidSignature for a certificate that is for nobody, or for several */
export function certifiedIdentity({ extensions }: Certificate): CertifiedIdentity {
  const alternative = extensions.get(extensionIds.alternativeName);
  const names = alternative ? readDer(alternative.value).children : [];
  const [name] = names;
  if (!name || names.length !== 1) {
    throw new InvalidSignature(`its certificate is for ${names.length === 0 ? 'nobody' : 'several names'}`);
  }
  const second = extensions.get(fulcioIds.issuerV2);
  const first = extensions.get(fulcioIds.issuerV1);
  const issuers = [...(second ? [text(utf8Of(readDer(second.value)))] : []), ...(first ? [text(first.value)] : [])];
  if (new Set(issuers).size > 1) throw new InvalidSignature('its certificate names two issuers');
  return { identity: identityOf(name), issuer: issuers[0] };
}

function identityOf(name: Der): string {
  if (name.tag === emailTag || name.tag === uriTag) {
    // Such a name is ASCII. What is not might be read as another by somebody else.
    if (name.content.some((byte) => byte > 0x7e))
      throw new InvalidSignature('the name in its certificate is not ASCII');
    return text(name.content);
  }
  const [type, value] = name.tag === otherNameTag ? name.children : [];
  const username = type && derOid(type) === fulcioIds.username ? value?.children[0] : undefined;
  if (!username) throw new InvalidSignature('its certificate is for a name that is neither an address nor a URI');
  return text(utf8Of(username));
}

function utf8Of({ tag, content }: Der): Uint8Array {
  if (tag !== derTags.utf8String) throw new InvalidSignature('a name in its certificate is not text');
  return content;
}

function text(bytes: Uint8Array): string {
  const found = decodeText(bytes);
  if (bytes.length === 0 || bytes.length > maxNameBytes || found.search(hiddenCharacter) >= 0) {
    throw new InvalidSignature('a name in its certificate is empty, too long, or has hidden characters');
  }
  return found;
}
