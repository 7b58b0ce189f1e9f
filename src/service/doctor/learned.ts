/** What was learned of an endpoint's host, as a diagnosis shows it. */
import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import type { Facts } from '../../host-facts/facts.ts';
import { createHostFacts, type HostFacts, lifetimeMs } from '../../host-facts/host-facts.ts';
import { printable } from '../../wire/errors.ts';
import type { Check } from './check.ts';

const hourMs = 60 * 60 * 1000;

/** None if nothing is kept of it. The diagnosis itself uses none of it. */
export function* checkLearned(
  { url, tls }: APIEndpoint,
  endpoint: string,
  { facts, nowMs }: { readonly facts: HostFacts; readonly nowMs: () => number },
): Generator<Check> {
  const { known, sinceMs } = facts.of(url, { verified: tls.verify ?? true });
  const text = sinceMs === undefined ? undefined : describe(known, url, nowMs() - sinceMs);
  if (sinceMs === undefined || text === undefined) return;
  const detail = { ...known, since: new Date(sinceMs).toISOString() };
  yield { topic: 'learned', endpoint, status: 'ok', text, detail };
}

/** All that is kept in the directory of caches. */
export function* listLearned(directory: string | undefined): Generator<Check> {
  for (const [name, { facts, sinceMs }] of createHostFacts({ directory }).all()) {
    const [origin = '', unverified] = name.split(' ');
    const shown = unverified === undefined ? origin : `${origin}, without a valid certificate`;
    const text = URL.canParse(origin) ? describe(facts, new URL(origin), Date.now() - sinceMs) : undefined;
    const detail = { host: name, ...facts, since: new Date(sinceMs).toISOString() };
    if (text !== undefined) yield { topic: 'learned', status: 'ok', text: `${shown}: ${text}`, detail };
  }
}

function describe(known: Facts, url: URL, ageMs: number): string | undefined {
  const parts = wordsOf(known, url);
  const age = `known for ${hours(ageMs)}, forgotten in ${hours(lifetimeMs - ageMs)} or by 'doctor --forget'`;
  return parts.length === 0 ? undefined : `${parts.join('; ')} (${age})`;
}

function hours(ms: number): string {
  const count = Math.max(Math.round(ms / hourMs), 0);
  if (count === 0) return 'less than an hour';
  if (count < 48) return `${count} hour${count === 1 ? '' : 's'}`;
  return `${Math.round(count / 24)} days`;
}

const words: { readonly [K in keyof Facts]-?: (value: Exclude<Facts[K], undefined>, url: URL) => string | undefined } =
  {
    scheme: () => 'speaks TLS',
    challenges: (challenges, { pathname }) => {
      const asked = challenges[pathname] ?? Object.values(challenges)[0];
      return asked && `asks for ${printable(asked.join(', '))}`;
    },
    roots: (roots) =>
      ({
        host: 'its certificate fits those of its own directory',
        node: "its certificate fits Node's",
        system: "its certificate fits the system's",
      })[roots],
    http2: (has) => (has ? 'HTTP/2' : 'no HTTP/2'),
    isPublic: (is) => (is ? 'at a public address' : 'at a private address'),
    mounts: (has) => (has ? 'mounts blobs' : 'mounts no blobs'),
    heads: (has) => (has ? 'answers HEAD' : 'does not answer HEAD as GET'),
    ranges: (has) => (has ? 'sends ranges of blobs' : 'sends no ranges of blobs'),
    maxBodyBytes: (bytes) => `takes bodies of up to ${bytes} bytes`,
    minChunkBytes: (bytes) => `takes no chunks of less than ${bytes} bytes`,
  };

function wordsOf(known: Facts, url: URL): readonly string[] {
  return Object.entries(words).flatMap(([name, say]) => {
    const value = known[name as keyof Facts];
    return value === undefined ? [] : ((say as (value: unknown, url: URL) => string | undefined)(value, url) ?? []);
  });
}
