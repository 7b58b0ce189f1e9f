/** The tags of a repository at its registry, for completion by a shell: in a moment, or not at all. */
import { createHash } from 'node:crypto';
import { cacheDirectory, containersAuthFiles, runtimeDirectory } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import { createCredentialLookup } from '../credentials/lookup.ts';
import { PrivateDirectory } from '../files/private-directory.ts';
import { parseJson } from '../model/json.ts';
import { formatReference, parseReference, type Reference } from '../model/reference/reference.ts';
import { isReference } from '../places/places.ts';
import { createRegistryService } from '../service/create-service.ts';
import { version } from '../version.ts';

/** With the start of the program, less than a second. */
const patienceMs = 700;
/** Nobody reads more, and pages take time. */
const mostTags = 2000;
/** How long a list is used again, and the fact that there was none. */
const keptMs = { list: 60_000, none: 15_000 };
const maxFileBytes = 1024 * 1024;

interface CompleteTagsOptions {
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/**
 * The references that a word may become, if it is one up to its tag: `alpine:3` or `host:5000/team/app:`. Never fails, and
 * asks nobody for a credential: helpers and the keychain may prompt.
 */
export async function completeTags(
  word: string,
  { settings, signal }: CompleteTagsOptions,
): Promise<readonly string[]> {
  const typed = /^([^@]+):[\w.-]*$/.exec(word)?.[1];
  const reference = typed === undefined || !isReference(word) || isHost(typed) ? undefined : parsed(typed);
  if (reference === undefined || settings.completion.value === 'local') return [];
  // Which registry a short name means would take more requests.
  const isShort = reference.domain === 'docker.io' && !word.startsWith('docker.io/');
  if (isShort && settings.shortNames.value === 'containers') return [];
  const kept = keptTags(reference, settings);
  const tags = kept.read() ?? (await ask(reference, { settings, signal }, kept));
  return tags.map((tag) => `${typed}:${tag}`);
}

/** What follows may be a port: `localhost:50`. */
function isHost(typed: string): boolean {
  return typed === 'localhost' || (!typed.includes('/') && typed.includes('.'));
}

function parsed(typed: string): Reference | undefined {
  try {
    const reference = parseReference(typed);
    return reference.tag === undefined ? reference : undefined;
  } catch {
    return undefined;
  }
}

interface KeptTags {
  read(): readonly string[] | undefined;
  write(tags: readonly string[], isList: boolean): void;
}

function keptTags(reference: Reference, { environment }: Settings): KeptTags {
  const base = cacheDirectory(environment);
  const directory = base === undefined ? undefined : new PrivateDirectory(base, ['tags']);
  const name = createHash('sha256').update(formatReference(reference)).digest('hex');
  return {
    read() {
      try {
        const bytes = directory?.read(name, maxFileBytes);
        const found = bytes && parseJson(Buffer.from(bytes).toString());
        return readKept(found, Date.now());
      } catch {
        return undefined;
      }
    },
    write(tags, isList) {
      try {
        directory?.sweep(Date.now());
        const untilMs = Date.now() + (isList ? keptMs.list : keptMs.none);
        directory?.write(name, JSON.stringify({ untilMs, tags }), { untilMs });
      } catch {
        // Then the next completion asks again.
      }
    },
  };
}

function readKept(found: unknown, nowMs: number): readonly string[] | undefined {
  if (typeof found !== 'object' || found === null || !('untilMs' in found) || !('tags' in found)) return undefined;
  const { untilMs, tags } = found;
  // A clock that was set back would keep a list for long.
  if (typeof untilMs !== 'number' || untilMs < nowMs || untilMs > nowMs + keptMs.list) return undefined;
  return Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : undefined;
}

async function ask(
  reference: Reference,
  { settings, signal }: CompleteTagsOptions,
  kept: KeptTags,
): Promise<readonly string[]> {
  const { dockerConfig, dockerAuthConfig, environment, tokenCache } = settings;
  const warn = (): void => {};
  const authFiles = containersAuthFiles(environment);
  const { env } = environment;
  const credentials = createCredentialLookup({ dockerConfig, dockerAuthConfig, authFiles, env, warn, helpers: false });
  const service = createRegistryService({
    settings,
    credentials,
    warn,
    userAgent: `ocictl/${version}`,
    cacheDirectory: cacheDirectory(environment),
    tokenDirectory: tokenCache.value === 'on' ? runtimeDirectory(environment) : undefined,
  });
  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const tags: string[] = [];
  const list = async (): Promise<boolean> => {
    const registry = await service.open(reference, 'pull');
    for await (const tag of registry.tags(reference.path, { signal: ending })) {
      tags.push(tag);
      if (tags.length === mostTags) break;
    }
    return true;
  };
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const isWhole = await Promise.race([list().catch(() => false), patience]);
  clearTimeout(timer);
  stop.abort();
  void service.close().catch(() => {});
  kept.write(isWhole ? tags : [], isWhole);
  return tags;
}
