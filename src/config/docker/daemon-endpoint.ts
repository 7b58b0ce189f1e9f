/** Finds the Docker daemon as the docker command does. */
import { join } from 'node:path';
import { fieldsOf } from '../documents/fields.ts';
import { parseJsonDocument } from '../documents/json-document.ts';
import { type Environment, variable } from '../environment.ts';
import type { Origin } from '../origin.ts';
import { readSettingsFile } from '../settings-file.ts';
import { type DaemonAddress, defaultDaemonHost, parseDaemonAddress } from './daemon-address.ts';
import { readDockerContext } from './docker-context.ts';

/** Certificates for a daemon that is reached over TLS, in PEM. */
interface DaemonTls {
  /** False: any certificate is accepted. */
  readonly verify: boolean;
  /** What the daemon's certificate is checked with; undefined: the system's authorities. */
  readonly ca: string | undefined;
  /** The client's own certificate. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A Docker daemon. */
export interface DaemonEndpoint {
  readonly address: DaemonAddress;
  /** Undefined: without TLS. */
  readonly tls: DaemonTls | undefined;
  /** As it was written: `unix:///var/run/docker.sock`. */
  readonly host: string;
  /** What named it. */
  readonly origin: Origin;
}

/**
 * The daemon that `DOCKER_HOST` names, else the context of `DOCKER_CONTEXT`, else the context in config.json, else the
 * default socket. Nothing is contacted.
 *
 * @param configDir The directory of config.json; undefined if there is none.
 * @throws OciError CONFIG_INVALID, UNSUPPORTED
 */
export async function findDaemon(where: Environment, configDir: string | undefined): Promise<DaemonEndpoint> {
  const host = variable(where.env, 'DOCKER_HOST');
  if (host !== undefined) return byVariables(host, where, configDir, { kind: 'environment', name: 'DOCKER_HOST' });
  const chosen = await chosenContext(where, configDir);
  if (chosen === undefined || configDir === undefined) {
    const name = 'the default socket';
    return byVariables(defaultDaemonHost(where.platform), where, configDir, { kind: 'default', name });
  }
  const context = await readDockerContext(chosen.name, configDir, chosen.origin);
  const files = await readCertificates(context.tlsDirectory);
  const usesTls = context.skipVerify || files.ca !== undefined || files.cert !== undefined;
  return {
    address: parseDaemonAddress(context.host, { origin: context.origin, tls: usesTls }),
    tls: usesTls ? { verify: !context.skipVerify, ...files } : undefined,
    host: context.host,
    origin: { kind: 'file', name: `the Docker context ${chosen.name}` },
  };
}

/** @see https://docs.docker.com/reference/cli/docker/#environment-variables */
async function byVariables(
  host: string,
  { env }: Environment,
  configDir: string | undefined,
  origin: Origin,
): Promise<DaemonEndpoint> {
  const verify = variable(env, 'DOCKER_TLS_VERIFY') !== undefined;
  const usesTls = verify || variable(env, 'DOCKER_TLS') !== undefined;
  const address = parseDaemonAddress(host, { origin, tls: usesTls });
  if (!usesTls || address.kind === 'socket') return { address, tls: undefined, host, origin };
  const directory = variable(env, 'DOCKER_CERT_PATH') ?? configDir;
  const files = directory === undefined ? noCertificates : await readCertificates(directory);
  return { address, tls: { verify, ...files }, host, origin };
}

async function chosenContext(
  { env }: Environment,
  configDir: string | undefined,
): Promise<{ readonly name: string; readonly origin: Origin } | undefined> {
  const named = variable(env, 'DOCKER_CONTEXT');
  if (named !== undefined) {
    return named === 'default' ? undefined : { name: named, origin: { kind: 'environment', name: 'DOCKER_CONTEXT' } };
  }
  const file = configDir === undefined ? undefined : join(configDir, 'config.json');
  const text = file === undefined ? undefined : await readSettingsFile(file);
  if (file === undefined || text === undefined || text.trim() === '') return undefined;
  const current = fieldsOf(parseJsonDocument(text, file), file).string('currentContext');
  if (current === undefined || current.value === '' || current.value === 'default') return undefined;
  return { name: current.value, origin: current.origin };
}

const noCertificates = { ca: undefined, cert: undefined, key: undefined };

async function readCertificates(directory: string): Promise<Omit<DaemonTls, 'verify'>> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readSettingsFile(join(directory, name))),
  );
  return { ca, cert, key };
}
