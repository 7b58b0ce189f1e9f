/**
 * The rules in registries.conf of the containers tools (podman, skopeo). Keys that do not concern registries are not
 * checked.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md
 */
import { quote, visible } from '../../model/quote.ts';
import { configError } from '../documents/config-error.ts';
import type { Fields } from '../documents/fields.ts';
import { fieldsOf } from '../documents/fields.ts';
import { isForOneReference, readLocation, readPrefix, ruleLocation } from '../documents/rule-location.ts';
import { parseTomlDocument } from '../documents/toml-document.ts';
import { formatOrigin, type Sourced } from '../origin.ts';
import { plainSource, type RegistryRule, type RegistrySource } from '../registry-rules.ts';
import type { SettingsText } from '../settings-file.ts';

interface RegistriesConfText extends SettingsText {
  /** Whether it is in registries.conf.d, where version 1 of the format is not supported. */
  readonly dropIn: boolean;
}

/** Parses a registries.conf. @throws OciError CONFIG_INVALID naming file, line and column. */
export function openRegistriesConf({ file, text }: SettingsText): Fields {
  return fieldsOf(parseTomlDocument(text, file), file);
}

/**
 * The rules of all files. A rule in a later file replaces one with the same prefix in an earlier file; within a file
 * the first counts.
 *
 * @throws OciError CONFIG_INVALID naming file and line.
 */
export function readRegistriesConf(
  files: readonly (RegistriesConfText & { readonly fields: Fields })[],
  warn: (text: string) => void,
): readonly RegistryRule[] {
  const merged = new Map<string, RegistryRule>();
  for (const { fields, dropIn } of files) {
    const own = new Map<string, RegistryRule>();
    for (const rule of rulesOf(fields, dropIn, warn)) {
      const first = own.get(rule.prefix);
      if (first === undefined) own.set(rule.prefix, rule);
      else {
        const line = first.origin.line === undefined ? '' : ` (line ${first.origin.line})`;
        warn(`${formatOrigin(rule.origin)}: ${quote(rule.prefix)} is set twice; the first one counts${line}`);
      }
    }
    for (const [prefix, rule] of own) merged.set(prefix, rule);
  }
  return [...merged.values()];
}

function rulesOf(fields: Fields, dropIn: boolean, warn: (text: string) => void): readonly RegistryRule[] {
  const old = fields.object('registries');
  if (old === undefined) return fields.objects('registry').flatMap((registry) => readRegistry(registry, warn));
  const mixed = fields.keys().some((key) => ['registry', 'unqualified-search-registries', 'aliases'].includes(key));
  if (!mixed && !dropIn) return readVersion1(old);
  throw configError(
    fields.originOf('registries'),
    mixed
      ? 'versions 1 and 2 of the format are mixed'
      : 'a file in registries.conf.d must have version 2 of the format',
    'write [[registry]] tables instead of [registries.insecure] and [registries.block]',
  );
}

// Version 1 only has lists of hosts. Its search list is read with the short names.
function readVersion1(fields: Fields): readonly RegistryRule[] {
  const [insecure = [], blocked = []] = ['insecure', 'block'].map((key) => fields.object(key)?.strings('registries'));
  const rules = new Map<string, RegistryRule>();
  const [insecureNames, blockedNames] = [insecure, blocked].map((list) => new Set(list.map(({ value }) => value)));
  for (const { value, origin } of [...insecure, ...blocked]) {
    const prefix = readLocation({ value, origin });
    const isInsecure = insecureNames?.has(value) ?? false;
    rules.set(prefix, {
      prefix,
      origin,
      blocked: blockedNames?.has(value) ?? false,
      mirrors: [],
      ...(isInsecure && { server: { ...plainSource, origin, insecure: true } }),
    });
  }
  return [...rules.values()];
}

function readRegistry(fields: Fields, warn: (text: string) => void): readonly RegistryRule[] {
  const { origin } = fields;
  const location = optionalLocation(fields.string('location'));
  const named = fields.string('prefix');
  const prefix = named === undefined || named.value === '' ? location : readPrefix(named);
  if (prefix === undefined) throw configError(origin, 'a [[registry]] needs a prefix or a location');
  if (isForOneReference(prefix)) {
    warn(
      `${formatOrigin(origin)}: the rule for ${visible(prefix)} was skipped: rules for a tag or digest are not read`,
    );
    return [];
  }
  const insecure = fields.boolean('insecure')?.value ?? false;
  const byDigest = fields.boolean('mirror-by-digest-only')?.value ?? false;
  const blocked = fields.boolean('blocked')?.value ?? false;
  const mirrors = fields.objects('mirror').map((mirror) => readMirror(mirror, prefix, byDigest));
  const server = readServer({ prefix, location, insecure, fields });
  return [{ prefix, origin, blocked, mirrors, ...(server && { server }) }];
}

interface ServerWords {
  readonly prefix: string;
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly fields: Fields;
}

// As in the containers tools, another location is only for pulls: a push goes to the host in the name.
function readServer({ prefix, location, insecure, fields }: ServerWords): RegistrySource | undefined {
  const { origin } = fields;
  if (location === undefined || location === prefix) {
    return insecure ? { ...plainSource, origin, insecure } : undefined;
  }
  return {
    ...plainSource,
    ...ruleLocation(location, prefix),
    origin: fields.originOf('location'),
    insecure,
    push: false,
  };
}

function readMirror(fields: Fields, prefix: string, byDigest: boolean): RegistrySource {
  const location = optionalLocation(fields.string('location'));
  if (location === undefined) throw configError(fields.origin, 'a [[registry.mirror]] needs a location');
  const from = fields.choice('pull-from-mirror', ['all', 'digest-only', 'tag-only', '']);
  if (byDigest && from !== undefined && from.value !== '') {
    throw configError(from.origin, 'pull-from-mirror and mirror-by-digest-only exclude each other');
  }
  const references =
    byDigest || from?.value === 'digest-only' ? 'digests' : from?.value === 'tag-only' ? 'tags' : 'all';
  return {
    ...plainSource,
    ...ruleLocation(location, prefix),
    origin: fields.origin,
    insecure: fields.boolean('insecure')?.value ?? false,
    references,
    resolve: references !== 'digests',
    push: false,
  };
}

function optionalLocation(setting: Sourced<string> | undefined): string | undefined {
  return setting === undefined || setting.value === '' ? undefined : readLocation(setting);
}
