import { JsonText } from '../../model/json-text.ts';
import { quote } from '../../model/quote.ts';
import { InvalidSignature } from '../formats/invalid.ts';
import { readStatement, signPredicate } from '../formats/statement.ts';
import { attestedProblem } from './attested.ts';
import { checkClaims } from './rules.ts';
import type { Verdict, VerifyRequest } from './verdict.ts';

/**
 * What a verified statement says, if that is what is looked for.
 *
 * @throws InvalidSignature for one of another digest, an attestation in place of a signature, and the reverse
 */
export function claimsOfStatement(
  payload: Uint8Array,
  { digest, rules }: VerifyRequest,
): Pick<NonNullable<Verdict['accepted']>, 'identity' | 'annotations' | 'attested'> {
  const statement = readStatement(payload, digest);
  const { predicateType, annotations } = statement;
  if (rules.attested) {
    if (predicateType === signPredicate) throw new InvalidSignature('it is a signature, which attests nothing more');
    const problem = attestedProblem(statement, rules.attested);
    if (problem !== undefined) throw new InvalidSignature(problem);
    const { predicate, text, name: identity } = statement;
    checkClaims({ digest, identity, annotations }, digest, rules);
    const predicateText = JsonText.read(text).textOf('predicate') ?? 'null';
    return { identity, annotations, attested: { predicateType, predicate, predicateText, statement: text } };
  }
  if (predicateType !== signPredicate) {
    throw new InvalidSignature(
      `it is an attestation (${quote(predicateType)}), which says more than that it is signed`,
    );
  }
  checkClaims({ digest, identity: undefined, annotations }, digest, rules);
  return { identity: undefined, annotations };
}
