/** Policies in ocictl's own format: a file, or `trust` in config.yaml; docs/policy.md describes their keys. */
import { quote } from '../../model/quote.ts';
import { configError } from '../documents/config-error.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../documents/known-keys.ts';
import type { YamlDocument } from '../documents/yaml-document.ts';
import type { Sourced } from '../origin.ts';
import {
  type Requirement,
  type SignerRule,
  signedParts,
  type TextRule,
  type TrustRule,
  type TrustRules,
} from '../trust-rules.ts';
import { byLength, readTrustPattern, type TrustPattern } from './trust-pattern.ts';

const keys: KnownKeys = { default: true, registries: true, places: true, 'trusted-root': true };
const ruleKeys: KnownKeys = {
  'signed-by': [
    { key: true, identity: true, 'identity-regexp': true, issuer: true, 'issuer-regexp': true, 'trust-store': true },
  ],
  'at-least': true,
  attested: [{ type: true, fields: true }],
  signed: true,
  reference: true,
};
/** Kinds of places that are no registry, as their prefixes name them. Images of the local store have names of registries. */
const placeKeys: KnownKeys = {
  oci: true,
  'oci-archive': true,
  'docker-archive': true,
  dir: true,
  'docker-daemon': true,
};

interface PolicySource {
  readonly document: YamlDocument;
  readonly file: string;
  /** Where it is in the document: at its top, or below a key. */
  readonly at?: 'trust';
  /** Makes a path of the file absolute. */
  readonly resolve: (path: string) => string;
}

/** @throws OciError CONFIG_INVALID naming file, line and column. */
export function parseTrustPolicy({ document, file, at, resolve }: PolicySource): TrustRules {
  const path = at === undefined ? [] : [at];
  const check = (known: KnownKeys, ...inner: readonly string[]): void =>
    refuseUnknownKeys(document, known, file, [...path, ...inner]);
  check(keys);
  const whole = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  const fields = at === undefined ? whole : (whole.object(at) ?? whole.refuse('there', at));
  const root = fields.string('trusted-root');
  const files: Files = { resolve, root: root && resolve(root.value) };
  const rulesIn = (key: 'registries' | 'places'): readonly TrustRule[] =>
    fields.members(key).map(([scope, { origin }]) => {
      check(ruleKeys, key, scope);
      const position = document.keyPosition([...path, key, scope]);
      return readRule(fields.object(key) as Fields, scope, { ...origin, ...position }, files);
    });
  check(placeKeys, 'places');
  const registries = rulesIn('registries').map((rule) => ({ rule, pattern: readTrustPattern(scopeOf(rule)) }));
  refuseRepeated(registries);
  const ordered = registries.sort((a, b) => byLength(a.pattern, b.pattern));
  const places = rulesIn('places');
  const word = fields.choice('default', ['accept', 'reject']);
  const otherwise: TrustRule = {
    origin: word?.origin ?? fields.origin,
    scope: 'default',
    // What a file without a default means must not be guessed: it may be all that somebody has written.
    says: word?.value ?? fields.refuse('accept or reject', 'default'),
  };
  return {
    origin: fields.origin,
    rules: [...ordered.map(({ rule }) => rule), ...places, otherwise],
    ruleFor({ kind, reference }) {
      const named = kind === '' || kind === 'store' ? reference : undefined;
      const found = named
        ? ordered.find(({ pattern }) => pattern.matches(named))?.rule
        : places.find(({ scope }) => scope === kind);
      return found ?? otherwise;
    },
  };
}

function scopeOf({ scope, origin }: TrustRule): Sourced<string> {
  return { value: scope, origin };
}

function refuseRepeated(rules: readonly { readonly rule: TrustRule; readonly pattern: TrustPattern }[]): void {
  const seen = new Map<string, TrustRule>();
  for (const { rule, pattern } of rules) {
    const first = seen.get(pattern.text);
    if (first) throw configError(rule.origin, `${pattern.text} has a rule already, in line ${first.origin.line}`);
    seen.set(pattern.text, rule);
  }
}

interface Files extends Pick<PolicySource, 'resolve'> {
  /** Of all certificates in the policy. */
  readonly root: string | undefined;
}

function readRule(parent: Fields, scope: string, origin: TrustRule['origin'], files: Files): TrustRule {
  const found = parent.stringOrObject(scope) ?? parent.refuse('accept, reject, or what an image must have', scope);
  if (!('value' in found)) return { origin, scope, says: [readRequirement(found, files)] };
  if (found.value === 'accept' || found.value === 'reject') return { origin, scope, says: found.value };
  throw configError(found.origin, `${quote(found.value)} is neither accept nor reject`);
}

function readRequirement(fields: Fields, files: Files): Requirement {
  const signedBy = fields.objects('signed-by').map((signer) => readSigner(signer, files));
  const attested = readAttested(fields);
  if (signedBy.length === 0) {
    throw configError(fields.origin, 'a rule needs "signed-by": whose signatures or attestations count');
  }
  const atLeast = readCount(fields, attested.length > 0 ? 0 : 1);
  // Several may have certificates of one issuer or store.
  if (atLeast > signedBy.length && signedBy.every(({ kind }) => kind === 'key')) {
    const by = `${signedBy.length} ${signedBy.length === 1 ? 'is' : 'are'}`;
    throw configError(fields.originOf('at-least'), `at least ${atLeast} must sign, and ${by} named in "signed-by"`);
  }
  return {
    origin: fields.origin,
    signedBy,
    atLeast,
    attested,
    signed: fields.choice('signed', signedParts)?.value ?? 'index-or-image',
    name: { kind: fields.choice('reference', ['any', 'repository', 'exact'])?.value ?? 'any' },
  };
}

function readAttested(fields: Fields): Requirement['attested'] {
  const isList = Array.isArray(fields.any('attested')?.value);
  const single = isList ? undefined : fields.stringOrObject('attested');
  const list = isList ? fields.mixed('attested') : single ? [single] : [];
  return list.map((one) => {
    if ('value' in one) return { type: one.value, fields: {}, origin: one.origin };
    const type = one.string('type') ?? one.refuse('the type of an attestation', 'type');
    const members = one.members('fields').map(([path, { value, origin }]) => {
      if (['string', 'number', 'boolean'].includes(typeof value)) return [path, String(value)] as const;
      throw configError(origin, `the field ${quote(path)} must be a text, a number, true or false`);
    });
    return { type: type.value, fields: Object.fromEntries(members), origin: type.origin };
  });
}

function readCount(fields: Fields, least: number): number {
  const found = fields.any('at-least')?.value;
  if (found === undefined) return 1;
  if (typeof found === 'number' && Number.isInteger(found) && found >= least) return found;
  return fields.refuse(`a whole number of at least ${least}`, 'at-least');
}

function readSigner(fields: Fields, { resolve, root }: Files): SignerRule {
  const { origin } = fields;
  const [key, store] = [fields.string('key'), fields.string('trust-store')];
  const [identity, issuer] = [readText(fields, 'identity'), readText(fields, 'issuer')];
  if ([key, store, identity ?? issuer].filter((one) => one !== undefined).length !== 1) {
    throw configError(origin, 'one who signs is { key }, { identity, issuer } or { trust-store }');
  }
  if (key) return { kind: 'key', file: resolve(key.value), origin: key.origin };
  if (store) return { kind: 'trust-store', directory: resolve(store.value), origin: store.origin };
  if (!identity || !issuer) throw configError(origin, 'an identity is vouched for by an issuer: both are needed');
  return { kind: 'identity', identity, issuer, root, origin };
}

function readText(fields: Fields, key: 'identity' | 'issuer'): TextRule | undefined {
  const [text, expression] = [fields.string(key), fields.string(`${key}-regexp`)];
  if (text && expression) throw configError(expression.origin, `${key} and ${key}-regexp exclude each other`);
  const found = text ?? expression;
  return found && { text: found.value, isExpression: expression !== undefined };
}
