/**
 * Statements of in-toto: what is said of which digests.
 *
 * @see https://github.com/in-toto/attestation/blob/v1.1.1/spec/v1/statement.md
 * @see https://github.com/in-toto/attestation/blob/v0.1.0/spec/README.md#statement
 */
import { type Digest, digestAlgorithm, digestHex } from '../../model/digest.ts';
import { isObject, tryParseObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { decodeText, InvalidSignature } from './invalid.ts';
import { stringsOf } from './simple-signing.ts';

const statementType = 'https://in-toto.io/Statement/v1';
/** The one that cosign's attestations have, of version 3 too. */
const attestationType = 'https://in-toto.io/Statement/v0.1';
const statementTypes: readonly unknown[] = [statementType, attestationType];
/** Says no more than that the digest is signed. */
export const signPredicate = 'https://sigstore.dev/cosign/sign/v1';

interface Statement {
  readonly predicateType: string;
  /** Undefined for a statement without one. */
  readonly predicate: unknown;
  /** Of the subject that has the digest. */
  readonly name: string | undefined;
  /** Of the subject that has the digest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The statement as it was signed: a JSON object. */
  readonly text: string;
}

/** The statement that signs a digest. cosign 2.6 leaves the annotations of `-a` out; where they belong, others look. */
export function writeSignStatement(digest: Digest, annotations: Readonly<Record<string, string>>): Uint8Array {
  const subject = {
    digest: { [digestAlgorithm(digest)]: digestHex(digest) },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
  return Buffer.from(JSON.stringify({ _type: statementType, subject: [subject], predicateType: signPredicate }));
}

/** The statement that attests something of a digest, as cosign writes it, in any format. @param parts `predicate` is in JSON. */
export function writeAttestation({
  digest,
  name,
  predicateType,
  predicate,
}: {
  readonly digest: Digest;
  readonly name: string;
  readonly predicateType: string;
  readonly predicate: string;
}): Uint8Array {
  const subject = [{ name, digest: { [digestAlgorithm(digest)]: digestHex(digest) } }];
  const head = JSON.stringify({ _type: attestationType, predicateType, subject });
  return Buffer.from(`${head.slice(0, -1)},"predicate":${predicate}}`);
}

/** @throws InvalidSignature, also for a statement that says nothing of the digest */
export function readStatement(bytes: Uint8Array, digest: Digest): Statement {
  const text = decodeText(bytes);
  const document = tryParseObject(text);
  if (!document) throw new InvalidSignature('its statement is not a JSON object');
  const { _type: type, subject, predicateType, predicate } = document;
  if (!statementTypes.includes(type)) {
    throw new InvalidSignature(
      `its statement has the type ${typeof type === 'string' ? quote(type) : 'of nothing known'}`,
    );
  }
  if (typeof predicateType !== 'string') throw new InvalidSignature('its statement has no type of predicate');
  const subjects = Array.isArray(subject) ? subject.filter(isObject) : [];
  const [algorithm, hex] = [digestAlgorithm(digest), digestHex(digest)];
  const found = subjects.find(({ digest: digests }) => isObject(digests) && digests[algorithm] === hex);
  if (!found) throw new InvalidSignature(`it signs ${subjects.length === 0 ? 'no digest' : 'another digest'}`);
  const { name, annotations } = found;
  return {
    predicateType,
    predicate,
    name: typeof name === 'string' ? name : undefined,
    annotations: stringsOf(annotations),
    text,
  };
}
