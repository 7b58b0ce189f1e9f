/**
 * The policy.json of the containers tools, read only where it is named.
 *
 * @see https://github.com/containers/image/blob/v5.36.2/docs/containers-policy.json.5.md
 */
import { posix } from 'node:path';
import { fromBase64 } from '../../model/base64.ts';
import { quote } from '../../model/quote.ts';
import { formatReference, parseReference, type Reference } from '../../model/reference/reference.ts';
import { at, configError } from '../documents/config-error.ts';
import { type Fields, fieldsOf } from '../documents/fields.ts';
import { type KnownKeys, refuseUnknownKeys } from '../documents/known-keys.ts';
import type { YamlDocument } from '../documents/yaml-document.ts';
import type { NameRule, Requirement, SignerRule, TrustRule, TrustRules, TrustSubject } from '../trust-rules.ts';

const keys: KnownKeys = { default: true, transports: true };
const requirementKeys: Readonly<Record<string, KnownKeys>> = {
  insecureAcceptAnything: { type: true },
  reject: { type: true },
  signedBy: { type: true, keyType: true, keyPath: true, keyPaths: true, keyData: true, signedIdentity: true },
  sigstoreSigned: {
    type: true,
    keyPath: true,
    keyPaths: true,
    keyData: true,
    keyDatas: true,
    fulcio: { caPath: true, caData: true, oidcIssuer: true, subjectEmail: true },
    pki: true,
    rekorPublicKeyPath: true,
    rekorPublicKeyPaths: true,
    rekorPublicKeyData: true,
    rekorPublicKeyDatas: true,
    signedIdentity: { type: true, dockerReference: true, dockerRepository: true, prefix: true, signedPrefix: true },
  },
};
/** Transports whose scopes are paths: of what is there, and of the directories above it. */
const withPaths: readonly string[] = ['oci', 'oci-archive', 'dir'];

interface PolicySource {
  readonly document: YamlDocument;
  readonly file: string;
  readonly resolve: (path: string) => string;
}

/** Whether a document has this format: our own has one word as its default. */
export function isPolicyJson({ value }: YamlDocument): boolean {
  const { default: otherwise, transports } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Array.isArray(otherwise) || transports !== undefined;
}

/** @throws OciError CONFIG_INVALID naming file, line and column; also for signatures of GPG, which are not verified. */
export function parsePolicyJson({ document, file, resolve }: PolicySource): TrustRules {
  refuseUnknownKeys(document, keys, file);
  const fields = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  const scoped = new Map<string, ReadonlyMap<string, TrustRule>>();
  for (const [transport] of fields.members('transports')) {
    const scopes = fields.object('transports')?.members(transport) ?? [];
    const inside = fields.object('transports')?.object(transport) as Fields;
    const at = ['transports', transport];
    const ruleOf = (scope: string): TrustRule => {
      const position = document.keyPosition([...at, scope]);
      const origin = { ...inside.originOf(scope), ...position };
      const says = readSays(inside, scope, [...at, scope], { document, file, resolve });
      return { origin, scope: scope === '' ? `${transport} ""` : `${transport} ${scope}`, says };
    };
    scoped.set(transport, new Map(scopes.map(([scope]) => [scope, ruleOf(scope)])));
  }
  if (fields.any('default') === undefined) fields.refuse('there', 'default');
  const says = readSays(fields, 'default', ['default'], { document, file, resolve });
  const otherwise: TrustRule = { origin: fields.originOf('default'), scope: 'default', says };
  return {
    origin: fields.origin,
    rules: [...[...scoped.values()].flatMap((rules) => [...rules.values()]), otherwise],
    ruleFor(subject) {
      const rules = scoped.get(transportOf(subject));
      const scope = [...scopesOf(subject), ''].find((one) => rules?.has(one));
      return (scope === undefined ? undefined : rules?.get(scope)) ?? otherwise;
    },
  };
}

function transportOf({ kind }: TrustSubject): string {
  if (kind === '') return 'docker';
  return kind === 'store' ? 'containers-storage' : kind;
}

/** From the one that counts most on. */
function scopesOf(subject: TrustSubject): readonly string[] {
  if (!('path' in subject)) return registryScopes(subject.reference);
  if (!withPaths.includes(subject.kind) || subject.path === undefined) return [];
  const scopes: string[] = [];
  // The root is no scope: there is "" for everything.
  for (let path = subject.path; path !== '/' && path !== '.'; path = posix.dirname(path)) scopes.push(path);
  return scopes;
}

function registryScopes({ domain, path, tag, digest }: Reference): readonly string[] {
  const scopes = [formatReference({ domain, path, ...(digest ? { digest } : tag && { tag }) })];
  for (let name = `${domain}/${path}`; name.includes('/'); name = name.slice(0, name.lastIndexOf('/')))
    scopes.push(name);
  scopes.push(domain);
  const labels = (domain.split(':')[0] ?? '').split('.');
  for (let at = 1; at < labels.length; at += 1) scopes.push(`*.${labels.slice(at).join('.')}`);
  return scopes;
}

function readSays(
  parent: Fields,
  key: string,
  path: readonly string[],
  { document, file, resolve }: PolicySource,
): TrustRule['says'] {
  const found = parent.objects(key);
  if (found.length === 0) throw configError(parent.originOf(key), `${quote(key)} must have a requirement`);
  const requirements: Requirement[] = [];
  let rejects = false;
  for (const [at, fields] of found.entries()) {
    const type = fields.string('type')?.value ?? fields.refuse('there', 'type');
    const known = Object.hasOwn(requirementKeys, type) ? requirementKeys[type] : undefined;
    if (!known) {
      const names = Object.keys(requirementKeys).join(', ');
      throw configError(fields.originOf('type'), `${quote(type)} is no requirement`, `there are ${names}`);
    }
    if (type === 'signedBy') {
      const hint = 'let images be signed with sigstore too (ocictl sign), and write sigstoreSigned';
      throw configError(fields.origin, 'signedBy asks for signatures of GPG, which ocictl does not verify', hint);
    }
    refuseUnknownKeys(document, known, file, [...path, at]);
    if (type === 'reject') rejects = true;
    if (type === 'sigstoreSigned') requirements.push(readSigned(fields, resolve));
  }
  // All of them must be met, and nothing meets this one.
  if (rejects) return 'reject';
  return requirements.length === 0 ? 'accept' : requirements;
}

function readSigned(fields: Fields, resolve: PolicySource['resolve']): Requirement {
  for (const key of ['fulcio', 'pki', ...Object.keys(requirementKeys['sigstoreSigned'] ?? {}).filter(isRekor)]) {
    if (fields.any(key) === undefined) continue;
    const hint =
      'ocictl verifies it by a key here; certificates go into a policy of its own format, as { identity, issuer }';
    throw configError(fields.originOf(key), `${quote(key)} is not read by ocictl`, hint);
  }
  const paths = [fields.string('keyPath'), ...fields.strings('keyPaths')].filter((one) => one !== undefined);
  const datas = [fields.string('keyData'), ...fields.strings('keyDatas')].filter((one) => one !== undefined);
  const given = ['keyPath', 'keyPaths', 'keyData', 'keyDatas'].filter((key) => fields.any(key) !== undefined);
  if (given.length !== 1) {
    throw configError(fields.origin, 'sigstoreSigned needs one of keyPath, keyPaths, keyData and keyDatas');
  }
  const signedBy: SignerRule[] = paths.map(({ value, origin }) => ({ kind: 'key', file: resolve(value), origin }));
  for (const { value, origin } of datas) {
    const pem = fromBase64(value);
    if (!pem) throw configError(origin, 'the key is not base64');
    signedBy.push({ kind: 'key-data', pem: Buffer.from(pem).toString('utf8'), origin });
  }
  if (signedBy.length === 0) throw configError(fields.origin, 'sigstoreSigned names no key');
  return {
    origin: fields.origin,
    signedBy,
    atLeast: 1,
    attested: [],
    signed: 'image',
    name: readName(fields.object('signedIdentity')),
  };
}

function isRekor(key: string): boolean {
  return key.startsWith('rekor');
}

/** @see https://github.com/containers/image/blob/v5.36.2/docs/containers-policy.json.5.md#signedidentity-values */
function readName(fields: Fields | undefined): NameRule {
  if (!fields) return { kind: 'tag-exact' };
  const word = (key: string): string => fields.string(key)?.value ?? fields.refuse('there', key);
  const types = [
    'matchExact',
    'matchRepoDigestOrExact',
    'matchRepository',
    'exactReference',
    'exactRepository',
  ] as const;
  const type = fields.choice('type', [...types, 'remapIdentity'])?.value ?? fields.refuse('there', 'type');
  if (type === 'matchExact') return { kind: 'exact' };
  if (type === 'matchRepoDigestOrExact') return { kind: 'tag-exact' };
  if (type === 'matchRepository') return { kind: 'repository' };
  // In full, as they are compared.
  const inFull = (key: string): string => at(fields.originOf(key), () => formatReference(parseReference(word(key))));
  if (type === 'exactReference') return { kind: 'exactly', name: inFull('dockerReference') };
  if (type === 'exactRepository') return { kind: 'in-repository', repository: inFull('dockerRepository') };
  return { kind: 'remapped', prefix: word('prefix'), signedPrefix: word('signedPrefix') };
}
