/** Checks every step from a reference to its registry. */
import { readdir } from 'node:fs/promises';
import type { AuthProvider } from '../../auth/auth-provider.ts';
import { hostCertsDir } from '../../certs/certs-dir.ts';
import type { Settings } from '../../config/settings.ts';
import type { APIEndpoint } from '../../endpoints/endpoint.ts';
import type { HostFacts } from '../../host-facts/host-facts.ts';
import { manifestReference, type Reference } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { RequestTrace } from '../../transport/request-trace.ts';
import type { EndpointRegistryOptions } from '../open/endpoint-registry.ts';
import { type Check, problem } from './check.ts';
import { checkEndpoint, endpointAddress } from './endpoint.ts';
import { checkLearned } from './learned.ts';

/** The parts of the service that a diagnosis examines. */
interface Diagnosed {
  readonly settings: Settings;
  readonly endpoints: () => Promise<readonly APIEndpoint[]>;
  readonly connection: Omit<EndpointRegistryOptions, 'credentials' | 'warn'>;
  /** A lookup that reports helpers that do not work. */
  readonly credentials: (warn: (text: string) => void) => AuthProvider;
  readonly hostFacts: HostFacts;
  readonly nowMs?: () => number;
}

/** Checks the endpoints of a reference in the order in which a pull asks them. */
export async function* diagnose(
  reference: Reference,
  subject: Diagnosed,
  { signal }: SignalOption = {},
): AsyncGenerator<Check> {
  const { settings, nowMs = Date.now } = subject;
  const { domain, path, tag, digest } = reference;
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const answered = new Set<string>();
  const trace = (event: RequestTrace): void => {
    if (event.status !== undefined || event.speaksTls) answered.add(new URL(event.url).origin);
    subject.connection.trace?.(event);
  };
  const credentials = subject.credentials(warn);
  const connection = { ...subject.connection, warn, trace, credentials, repository: path };
  yield {
    topic: 'reference',
    status: 'ok',
    text: `registry ${domain}, repository ${path}, ${digest === undefined ? `tag ${tag}` : `digest ${digest}`}`,
    detail: { domain, path, tag, digest },
  };
  let endpoints: readonly APIEndpoint[];
  try {
    endpoints = await subject.endpoints();
  } catch (error) {
    return yield problem('endpoint', error);
  }
  for (const host of new Set(endpoints.map(({ credentialHost }) => credentialHost))) {
    yield await certificatesOf(host, settings);
  }
  for (const endpoint of endpoints) {
    if (endpoint.plainTwin && answered.has(endpoint.url.origin.replace('http:', 'https:'))) {
      // As in a pull: credentials that were sent over TLS must not be sent in clear text afterwards.
      const text = 'not asked: the registry has answered over TLS';
      yield { topic: 'endpoint', endpoint: endpointAddress(endpoint), status: 'note', text };
      continue;
    }
    yield* checkEndpoint(endpoint, { path, target: manifestReference(reference), connection, nowMs, signal });
    yield* checkLearned(endpoint, endpointAddress(endpoint), { facts: subject.hostFacts, nowMs });
    for (const text of warnings.splice(0)) yield { topic: 'credentials', status: 'warning', text };
  }
}

async function certificatesOf(host: string, { certsDirs, environment }: Settings): Promise<Check> {
  const topic = 'certificates';
  const directories = certsDirs.map(({ value }) => hostCertsDir(value, host, environment.platform));
  for (const directory of directories) {
    const names = await readdir(directory).catch(() => undefined);
    if (!names) continue;
    const files = names.filter((name) => /\.(?:crt|cert|key)$/.test(name)).sort();
    const status = files.length === 0 ? 'note' : 'ok';
    const text = files.length === 0 ? `${directory} holds none` : `${files.join(', ')} in ${directory}`;
    return { topic, status, text: `${host}: ${text}`, detail: { host, directory, files } };
  }
  const text = `${host}: only those of the system; its own would be in ${directories.join(' or ')}`;
  return { topic, status: 'note', text, detail: { host, directories, files: [] } };
}
