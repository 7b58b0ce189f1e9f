/**
 * The files of `regsync once`.
 *
 * @see https://regclient.org/usage/regsync/
 */
import { at, configError } from '../../config/documents/config-error.ts';
import { type Fields, fieldsOf } from '../../config/documents/fields.ts';
import { refuseUnknownKeys } from '../../config/documents/known-keys.ts';
import type { Sourced } from '../../config/origin.ts';
import { OciError } from '../../model/errors.ts';
import { type Platform, parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';
import { familiarName, parseReference, withDefaultTag } from '../../model/reference/reference.ts';
import { isReference } from '../../places/places.ts';
import type { FormatInput } from './format-input.ts';
import { fixedName, type NameRule } from './name-rule.ts';
import { allowedRepositories, regsyncTagRules } from './regsync-filters.ts';
import { refuseWithoutEffect, regsyncKeys } from './regsync-keys.ts';
import type { HostAccess, SyncFile, SyncSource } from './sync-file.ts';

/** Reads a file of regsync. Where images go is always in the file. @throws OciError CONFIG_INVALID, USAGE */
export function readRegsyncFormat({ document, file, destination }: FormatInput): SyncFile {
  refuseUnknownKeys(document, regsyncKeys, file);
  const whole = fieldsOf({ ...document, columnOf: document.columnOfValue }, file);
  const template = templateIn(document.value);
  if (template) {
    const origin = { kind: 'file', name: file, line: document.lineOf(...template) ?? 1 } as const;
    const hint = 'write the value; ocictl login stores credentials';
    throw configError(origin, 'templates of regsync are not evaluated', hint);
  }
  if (whole.count('version', 1)?.value !== 1) whole.refuse('1', 'version');
  if (destination) {
    throw new OciError('USAGE', `${file} says where every image goes, so ${quote(destination.text)} has no use`, {
      hint: 'leave it out: the file has the format of regsync, with a target for each source',
    });
  }
  const defaults = whole.object('defaults');
  if (defaults) refuseWithoutEffect(defaults);
  const entries = whole.objects('sync');
  if (entries.length === 0) throw configError(whole.originOf('sync'), 'there is nothing to synchronise');
  return { sources: entries.map((entry) => readEntry(entry, defaults)), access: readAccess(whole) };
}

function readEntry(entry: Fields, defaults: Fields | undefined): SyncSource {
  refuseWithoutEffect(entry);
  const type = entry.choice('type', ['registry', 'repository', 'image'])?.value;
  if (type === undefined) throw configError(entry.origin, 'an entry needs a type: registry, repository or image');
  const [source, target] = [required(entry, 'source'), targetOf(entry)];
  const platform = entry.string('platform');
  const words = [...(platform ? [platform] : []), ...entry.strings('platforms')];
  const isOn = (key: string): boolean => (entry.boolean(key) ?? defaults?.boolean(key))?.value ?? false;
  const base = {
    origin: entry.origin,
    text: source.value,
    platforms: words.flatMap(readPlatform),
    referrers: isOn('referrers'),
    digestTags: isOn('digestTags'),
  };
  if (type === 'registry') {
    const repositories = allowedRepositories(entry.object('repos'));
    const to = [underTarget(target)];
    return { ...base, host: hostOf(source.value.replace(/\/+$/, '')), repositories, tags: regsyncTagRules(entry), to };
  }
  const reference = at(source.origin, () => parseReference(source.value));
  const { domain: host, path: repositories, tag, digest } = withDefaultTag(reference);
  if (type === 'repository') {
    if ((reference.tag ?? reference.digest) !== undefined) {
      throw configError(source.origin, `${quote(source.value)} names an image, and type says repository`);
    }
    return { ...base, host, repositories, tags: regsyncTagRules(entry), to: [fixedName(target)] };
  }
  const name = digest ?? tag;
  const names = name === undefined ? [] : [name];
  const one = { origin: source.origin, text: source.value, names, filters: undefined, newest: undefined };
  return { ...base, host, repositories, tags: [one], to: [fixedName(withTag(target))] };
}

function required(entry: Fields, key: string): Sourced<string> {
  return entry.string(key) ?? entry.refuse('there', key);
}

/** regsync writes a layout as `ocidir://DIR:TAG`. */
function targetOf(entry: Fields): Sourced<string> {
  const { value, origin } = required(entry, 'target');
  return { value: value.replace(/^ocidir:\/\//, 'oci:'), origin };
}

/** The target of an image is itself one: without a tag it is latest. */
function withTag(target: Sourced<string>): Sourced<string> {
  if (!isReference(target.value)) return target;
  const { domain, path, tag, digest } = at(target.origin, () => parseReference(target.value));
  if (digest !== undefined)
    throw configError(target.origin, `${quote(target.value)} has a digest: nothing is written to one`);
  return { ...target, value: `${familiarName({ domain, path })}:${tag ?? 'latest'}` };
}

function underTarget({ value, origin }: Sourced<string>): NameRule {
  const prefix = value.replace(/\/+$/, '');
  return { origin, text: value, nameOf: ({ Path: path }) => `${prefix}/${path}` };
}

function readPlatform({ value, origin }: Sourced<string>): readonly Platform[] {
  if (value === 'local') throw configError(origin, 'the platform of this machine must be written in full: linux/amd64');
  return value === '' ? [] : [at(origin, () => parsePlatform(value))];
}

/** Docker Hub has several names. */
function hostOf(word: string): string {
  return /^(?:index\.|registry-1\.)?docker\.io$/.test(word) ? 'docker.io' : word;
}

function readAccess(whole: Fields): ReadonlyMap<string, HostAccess> {
  const access = new Map<string, HostAccess>();
  for (const fields of whole.objects('creds')) {
    const [user, pass] = [fields.string('user')?.value, fields.string('pass')?.value];
    if ((user === undefined) !== (pass === undefined)) {
      throw configError(fields.origin, 'credentials need both user and pass');
    }
    const tls = fields.choice('tls', ['enabled', 'insecure', 'disabled'])?.value ?? 'enabled';
    const registry = required(fields, 'registry');
    access.set(hostOf(registry.value), {
      ...(user !== undefined && { creds: `${user}:${pass}` }),
      ...(tls !== 'enabled' && { insecure: true }),
    });
  }
  return access;
}

/** The first string with a template of Go, which regsync evaluates. */
function templateIn(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value.includes('{{') ? [] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const path = templateIn(inner);
    if (path) return [key, ...path];
  }
  return undefined;
}
