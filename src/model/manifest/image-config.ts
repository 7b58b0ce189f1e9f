import { OciError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { asObject, parseJsonObject } from '../json-fields.ts';
import { type Platform, parsePlatformObject } from '../platform/platform.ts';
import { quote } from '../quote.ts';
import { withoutTrailing } from '../without-trailing.ts';
import type { ManifestView } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

/** One line of an image's history. */
export interface HistoryLine {
  /** RFC 3339; undefined if it is not stated. */
  readonly created: string | undefined;
  /** The command: `RUN apk add curl`. */
  readonly createdBy: string;
  /** Empty if it is not stated. */
  readonly author: string;
  /** Empty if it is not stated. */
  readonly comment: string;
  /** Whether the step made no layer. */
  readonly empty: boolean;
}

/**
 * The config of an image. A field that is absent or null is undefined, or an empty string or list.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
export interface ImageConfig {
  /** RFC 3339, shortened as Go writes it: `2026-01-02T03:04:05.12Z`. */
  readonly created: string | undefined;
  /** Empty if it is not stated, as every text below. */
  readonly author: string;
  /** As Go names it: `amd64`. */
  readonly architecture: string;
  /** Of the architecture: `v7`. */
  readonly variant: string;
  /** As Go names it: `linux`. */
  readonly os: string;
  /** Of Windows: `10.0.17763.1`. */
  readonly osVersion: string;
  /** The Docker that built it. */
  readonly dockerVersion: string;
  /** Who the command runs as: `user`, `uid:gid`. */
  readonly user: string;
  /** Where the command runs. */
  readonly workingDir: string;
  /** What stops it: `SIGTERM`. */
  readonly stopSignal: string;
  /** Undefined if it is not stated, as every list below. */
  readonly entrypoint: readonly string[] | undefined;
  /** Arguments of the entrypoint, or the command. */
  readonly cmd: readonly string[] | undefined;
  /** `NAME=value`. */
  readonly env: readonly string[] | undefined;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[] | undefined;
  /** Paths. */
  readonly volumes: readonly string[] | undefined;
  /** By name. */
  readonly labels: ReadonlyMap<string, string> | undefined;
  /** Digests of the layers uncompressed, the lowest first. */
  readonly diffIds: readonly string[];
  /** One line for each step of the build, the oldest first. */
  readonly history: readonly HistoryLine[];
}

/** Whether a manifest is that of a runnable image with a config for {@link readImageConfig}, as opposed to an artifact. */
export function hasImageConfig(view: ManifestView): boolean {
  if (view.kind !== 'image') return false;
  // Early Docker clients sent configs as octet streams.
  const types: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig, mediaTypes.octetStream];
  return types.includes(view.config.mediaType);
}

/** @throws OciError MANIFEST_INVALID naming the field that is wrong. */
export function readImageConfig(bytes: Uint8Array): ImageConfig {
  const config = new Fields(parseConfig(bytes), '');
  const run = config.object('config');
  const history = config.list('history') ?? [];
  return {
    created: config.time('created'),
    author: config.text('author'),
    architecture: config.text('architecture'),
    variant: config.text('variant'),
    os: config.text('os'),
    osVersion: config.text('os.version'),
    dockerVersion: config.text('docker_version'),
    user: run.text('User'),
    workingDir: run.text('WorkingDir'),
    stopSignal: run.text('StopSignal'),
    entrypoint: run.words('Entrypoint'),
    cmd: run.words('Cmd'),
    env: run.texts('Env'),
    exposedPorts: run.keys('ExposedPorts'),
    volumes: run.keys('Volumes'),
    labels: run.labels('Labels'),
    diffIds: config.object('rootfs').texts('diff_ids') ?? [],
    history: history.map((_, i) => historyLine(new Fields(history, 'history.').object(String(i)))),
  };
}

/** The part of a config that lists of images show. */
export interface ConfigGlimpse {
  readonly created?: Date;
  readonly platform?: Platform;
}

/** Reads the fields of a config that are well-formed: the config of an artifact may be anything. */
export function glimpseConfig(bytes: Uint8Array): ConfigGlimpse {
  const { created, os, architecture, variant } = fieldsIn(bytes) ?? {};
  return {
    ...(typeof created === 'string' && !Number.isNaN(Date.parse(created)) && { created: new Date(created) }),
    ...(typeof os === 'string' &&
      typeof architecture === 'string' && {
        platform: { os, architecture, ...(typeof variant === 'string' && { variant }) },
      }),
  };
}

/** The platform that an image's config declares, including version and features; undefined if it is malformed. */
export function configPlatform(bytes: Uint8Array): Platform | undefined {
  try {
    return parsePlatformObject(fieldsIn(bytes), 'config');
  } catch {
    return undefined;
  }
}

function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(parseJson(new TextDecoder().decode(bytes)), 'config');
  } catch {
    return undefined;
  }
}

function historyLine(line: Fields): HistoryLine {
  return {
    created: line.time('created'),
    createdBy: line.text('created_by'),
    author: line.text('author'),
    comment: line.text('comment'),
    empty: line.flag('empty_layer'),
  };
}

function parseConfig(bytes: Uint8Array): object {
  try {
    return parseJsonObject(bytes);
  } catch (cause) {
    throw invalid('it is not a JSON object', cause);
  }
}

/** Typed reads from a JSON object or list. Null counts as absent. */
class Fields {
  readonly #object: object;
  readonly #path: string;

  constructor(object: object, path: string) {
    this.#object = object;
    this.#path = path;
  }

  text(key: string): string {
    const value = this.#get(key) ?? '';
    return typeof value === 'string' ? value : this.#fail(key, 'must be a string');
  }

  flag(key: string): boolean {
    const value = this.#get(key) ?? false;
    return typeof value === 'boolean' ? value : this.#fail(key, 'must be true or false');
  }

  time(key: string): string | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const time = typeof value === 'string' ? goTime(value) : undefined;
    return time ?? this.#fail(key, 'must be a time as RFC 3339 writes it');
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.#get(key);
    return value === undefined || Array.isArray(value) ? value : this.#fail(key, 'must be a list');
  }

  object(key: string): Fields {
    const value = this.#get(key) ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) return this.#fail(key, 'must be an object');
    return new Fields(value, `${this.#path}${key}.`);
  }

  texts(key: string): readonly string[] | undefined {
    const list = this.list(key);
    const isText = (item: unknown): item is string => typeof item === 'string';
    return list === undefined || list.every(isText) ? list : this.#fail(key, 'must be a list of strings');
  }

  /** A list, or a single string, which old Docker versions wrote for Cmd and Entrypoint. */
  words(key: string): readonly string[] | undefined {
    const value = this.#get(key);
    return typeof value === 'string' ? [value] : this.texts(key);
  }

  keys(key: string): readonly string[] | undefined {
    return this.#get(key) === undefined ? undefined : Object.keys(this.object(key).#object);
  }

  labels(key: string): ReadonlyMap<string, string> | undefined {
    if (this.#get(key) === undefined) return undefined;
    const labels = this.object(key);
    return new Map(Object.keys(labels.#object).map((name) => [name, labels.text(name)]));
  }

  #get(key: string): unknown {
    const value: unknown = Object.hasOwn(this.#object, key) ? Reflect.get(this.#object, key) : undefined;
    return value ?? undefined;
  }

  #fail(key: string, problem: string): never {
    throw invalid(`${quote(this.#path + key)} ${problem}`);
  }
}

/** A time in the form that Go's encoding/json reads and writes; undefined for any other text. */
function goTime(text: string): string | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match || Number.isNaN(Date.parse(`${match[1]}Z`))) return undefined;
  const fraction = withoutTrailing((match[2] ?? '').slice(0, 9), '0');
  const zone = /^[+-]00:00$/.test(match[3] ?? '') ? 'Z' : match[3];
  return `${match[1]}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

function invalid(problem: string, cause?: unknown): OciError {
  return new OciError('MANIFEST_INVALID', `malformed image config: ${problem}`, {
    cause,
    hint: 'inspect --config --raw prints it as it is',
  });
}
