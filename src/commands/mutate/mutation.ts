/** What the options of `mutate` change. */
import type { Mutation } from '../../edit/mutate.ts';
import { OciError } from '../../model/errors.ts';
import { parsePlatform } from '../../model/platform/platform.ts';
import { quote } from '../../model/quote.ts';
import { parseTime } from '../artifact/time.ts';
import { parsePairs } from '../command-line/option-values.ts';
import { parseWords } from './words.ts';

/** The values of the options. */
interface Given {
  readonly entrypoint?: string | undefined;
  readonly unsetEntrypoint: boolean;
  readonly cmd?: string | undefined;
  readonly unsetCmd: boolean;
  readonly env: readonly string[];
  readonly unsetEnv: readonly string[];
  readonly user?: string | undefined;
  readonly unsetUser: boolean;
  readonly workdir?: string | undefined;
  readonly unsetWorkdir: boolean;
  readonly stopSignal?: string | undefined;
  readonly unsetStopSignal: boolean;
  readonly label: readonly string[];
  readonly unsetLabel: readonly string[];
  readonly annotation: readonly string[];
  readonly unsetAnnotation: readonly string[];
  readonly expose: readonly string[];
  readonly unsetExpose: readonly string[];
  readonly volume: readonly string[];
  readonly unsetVolume: readonly string[];
  readonly created?: string | undefined;
  readonly unsetCreated: boolean;
  readonly author?: string | undefined;
  readonly unsetAuthor: boolean;
  readonly setPlatform?: string | undefined;
}

/** @param now What `now` is. @throws OciError USAGE */
export function readMutation(given: Given, now: () => Date): Mutation {
  const { setPlatform, created } = given;
  return {
    entrypoint: given.unsetEntrypoint ? one('entrypoint', given.entrypoint) : words('--entrypoint', given.entrypoint),
    cmd: given.unsetCmd ? one('cmd', given.cmd) : words('--cmd', given.cmd),
    env: pairs('env', given.env, given.unsetEnv),
    user: given.unsetUser ? one('user', given.user) : given.user,
    workdir: given.unsetWorkdir ? one('workdir', given.workdir) : given.workdir,
    stopSignal: given.unsetStopSignal ? one('stop-signal', given.stopSignal) : given.stopSignal,
    labels: pairs('label', given.label, given.unsetLabel),
    annotations: pairs('annotation', given.annotation, given.unsetAnnotation),
    ports: switches('expose', given.expose.map(parsePort), given.unsetExpose.map(parsePort)),
    volumes: switches('volume', given.volume, given.unsetVolume),
    created: given.unsetCreated ? one('created', created) : created === undefined ? undefined : parseTime(created, now),
    author: given.unsetAuthor ? one('author', given.author) : given.author,
    platform: setPlatform === undefined ? undefined : parsePlatform(setPlatform),
  };
}

/** Null, which removes. @throws OciError USAGE if it is set as well. */
function one(name: string, value: string | undefined): null {
  if (value !== undefined) throw both(name);
  return null;
}

function both(name: string): OciError {
  return new OciError('USAGE', `conflicting options: --${name} and --unset-${name}`, {
    hint: 'leave one of them out',
  });
}

function words(option: string, text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : parseWords(option, text);
}

function pairs(
  name: string,
  set: readonly string[],
  unset: readonly string[],
): Readonly<Record<string, string | null>> | undefined {
  const values = parsePairs(`--${name}`, set);
  return merged(name, values, unset, null);
}

function switches(
  name: string,
  on: readonly string[],
  off: readonly string[],
): Readonly<Record<string, boolean>> | undefined {
  return merged<boolean>(name, Object.fromEntries(on.map((word) => [word, true])), off, false);
}

function merged<T>(
  name: string,
  set: Readonly<Record<string, T>>,
  unset: readonly string[],
  removed: T | null,
): Readonly<Record<string, T>> | undefined {
  if (unset.some((word) => Object.hasOwn(set, word))) throw both(name);
  const all = { ...set, ...Object.fromEntries(unset.map((word) => [word, removed])) };
  return Object.keys(all).length === 0 ? undefined : (all as Readonly<Record<string, T>>);
}

/** `8080`, `53/udp`, `8000-8010/tcp`. @throws OciError USAGE */
function parsePort(word: string): string {
  const [, from = '', to = from, protocol = 'tcp'] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(word) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from !== '' && first >= 1 && first <= last && last <= 65535) {
    return `${from}${to === from ? '' : `-${to}`}/${protocol}`;
  }
  throw new OciError('USAGE', `--expose takes a port, not ${quote(word)}`, {
    hint: 'a port looks like 8080, 53/udp or 8000-8010/tcp',
  });
}
