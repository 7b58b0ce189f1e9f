/** What images must have to be copied from where they are: the rules of a policy, whichever file they are from. */
import type { Reference } from '../model/reference/reference.ts';
import type { Origin, Sourced } from './origin.ts';

/** A text, or a regular expression that all of it has to match. */
export interface TextRule {
  readonly text: string;
  readonly isExpression: boolean;
}

/** Somebody whose signatures count. Files and directories are absolute. */
export type SignerRule =
  | { readonly kind: 'key'; readonly file: string; readonly origin: Origin }
  | { readonly kind: 'key-data'; readonly pem: string; readonly origin: Origin }
  | {
      readonly kind: 'identity';
      readonly identity: TextRule;
      readonly issuer: TextRule;
      /** A trusted_root.json of sigstore; undefined: the one that is kept in the cache directory. */
      readonly root: string | undefined;
      readonly origin: Origin;
    }
  | { readonly kind: 'trust-store'; readonly directory: string; readonly origin: Origin };

/** Which name a signature may have signed. `tag-exact`: exactly NAME:TAG; the repository for what is asked for by digest. */
export type NameRule =
  | { readonly kind: 'any' | 'repository' | 'exact' | 'tag-exact' }
  | { readonly kind: 'exactly'; readonly name: string }
  | { readonly kind: 'in-repository'; readonly repository: string }
  | { readonly kind: 'remapped'; readonly prefix: string; readonly signedPrefix: string };

/** Which of an index and its images must be signed. An image that no index was asked for must be signed in any case. */
type SignedPart = 'index-or-image' | 'index' | 'image';
export const signedParts: readonly SignedPart[] = ['index-or-image', 'index', 'image'];

/** An attestation that there must be. */
interface AttestedRule {
  readonly origin: Origin;
  /** A short name, as `slsaprovenance`, or a URI. */
  readonly type: string;
  /** What its predicate must have: a path, as `builder.id`, to its value as text. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Requirement {
  readonly origin: Origin;
  readonly signedBy: readonly SignerRule[];
  /** How many of them must have signed. 0 if attestations are enough. */
  readonly atLeast: number;
  /** Attestations that there must be. */
  readonly attested: readonly AttestedRule[];
  readonly signed: SignedPart;
  readonly name: NameRule;
}

export interface TrustRule {
  readonly origin: Origin;
  /** What it is for, as written: a pattern, or `default`. */
  readonly scope: string;
  /** All of the requirements must be met. */
  readonly says: 'accept' | 'reject' | readonly Requirement[];
}

/** Where an image is read. */
export type TrustSubject =
  | { readonly kind: ''; readonly reference: Reference }
  /** Of another kind, which is named by its prefix without the colon. `path`: the file or directory, if it is in one. */
  | { readonly kind: string; readonly path: string | undefined; readonly reference?: Reference | undefined };

export interface TrustRules {
  /** The file. */
  readonly origin: Origin;
  /** All of them, in the order of the file, the default last. */
  readonly rules: readonly TrustRule[];
  /** The one rule for an image. */
  ruleFor(subject: TrustSubject): TrustRule;
}

/** What config.yaml says under `trust`. */
export interface TrustSettings {
  /** The file, which is read again by who judges images. */
  readonly file: string;
  /** In words. */
  readonly rules: readonly Sourced<string>[];
}

/** What a rule demands, in one line. */
export function describeTrustRule({ scope, says, origin }: TrustRule): Sourced<string> {
  const value = typeof says === 'string' ? says : says.map(describeRequirement).join('; ');
  return { value: `${scope}: ${value}`, origin };
}

function describeRequirement({ signedBy, atLeast, attested, signed, name }: Requirement): string {
  const signers = signedBy.map(describeSigner).join(', ');
  const parts = [
    atLeast === 0 ? `attested by one of ${signers}` : `signed by ${atLeast} of ${signers}`,
    ...(attested.length > 0 ? [`attested: ${attested.map(describeAttested).join(', ')}`] : []),
    ...(signed === 'index-or-image' ? [] : [`signed: ${signed}`]),
    ...(name.kind === 'any' ? [] : [`reference: ${describeName(name)}`]),
  ];
  return parts.join(', ');
}

/** `slsaprovenance`, or `slsaprovenance with builder.id=https://…`. */
export function describeAttested({ type, fields }: Pick<AttestedRule, 'type' | 'fields'>): string {
  const pairs = Object.entries(fields).map(([path, value]) => `${path}=${value}`);
  return pairs.length === 0 ? type : `${type} with ${pairs.join(' and ')}`;
}

function describeSigner(rule: SignerRule): string {
  if (rule.kind === 'key') return `key ${rule.file}`;
  if (rule.kind === 'key-data') return 'a key in the file';
  if (rule.kind === 'identity') return `${describeText(rule.identity)} of ${describeText(rule.issuer)}`;
  return `certificates in ${rule.directory}`;
}

function describeText({ text, isExpression }: TextRule): string {
  return isExpression ? `/${text}/` : text;
}

function describeName(name: NameRule): string {
  if (name.kind === 'exactly') return name.name;
  if (name.kind === 'in-repository') return `any tag of ${name.repository}`;
  return name.kind === 'remapped' ? `${name.signedPrefix} for ${name.prefix}` : name.kind;
}
