/** What an attestation has to say, to count. */
import { isObject } from '../../model/json.ts';
import { quote } from '../../model/quote.ts';
import { isPredicateType } from '../formats/predicate-types.ts';

/** Which attestations count. */
export interface AttestedRule {
  /** A short name of cosign or a URI, as `parsePredicateType` takes it. Undefined: any type. */
  readonly type?: string | undefined;
  /**
   * What the predicate must have: `builder.id` to `https://…`. A path names fields, and elements of arrays by number (`materials.0.uri`);
   * a dot in a name is written `\.`.
   */
  readonly fields?: Readonly<Record<string, string>> | undefined;
}

/** What was attested, and verified. */
export interface Attested {
  /** A URI. */
  readonly predicateType: string;
  /** Parsed. For what has to be exact, see `predicateText`. */
  readonly predicate: unknown;
  /** The predicate as it was signed, in JSON: numbers and the order of fields stay. `null` if there is none. */
  readonly predicateText: string;
  /** The statement as it was signed. */
  readonly statement: string;
}

/**
 * Why an attestation is not what a rule asks for; undefined if it is. One look at an image serves several rules so.
 *
 * @throws OciError USAGE for a type that is neither a short name nor a URI
 */
export function attestedProblem(
  { predicateType, predicate }: Pick<Attested, 'predicateType' | 'predicate'>,
  { type, fields = {} }: AttestedRule,
): string | undefined {
  if (type !== undefined && !isPredicateType(predicateType, type)) {
    return `it is an attestation of the type ${quote(predicateType)} instead of ${type}`;
  }
  for (const [path, wanted] of Object.entries(fields)) {
    const value = fieldOf(predicate, path);
    if (value === wanted) continue;
    const problem = value === undefined ? 'is missing' : `is ${quote(value)}`;
    return `its field ${quote(path)} ${problem} instead of ${quote(wanted)}`;
  }
  return undefined;
}

/** The text, number or truth value at a path; undefined where there is none. */
function fieldOf(predicate: unknown, path: string): string | undefined {
  let value = predicate;
  for (const name of namesIn(path)) {
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d{0,8})$/.test(name) ? value[Number(name)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

function namesIn(path: string): readonly string[] {
  return path.split(/(?<!\\)\./).map((name) => name.replaceAll('\\.', '.'));
}
