import { isIPv6 } from 'node:net';
import { indexName } from '../../config/docker/index-name.ts';
import { authConfigKey, convertToHostname, hubKey, splitKey } from '../../credentials/registry-key.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { tryParseRepositoryName } from '../../model/reference/reference.ts';
import { show } from '../../model/reference/reference-grammar.ts';

/** What a login or logout is for. */
export interface LoginServer {
  /** As references write it: `docker.io` or `host[:port]`. */
  readonly host: string;
  /** What its credentials are for: the host, or `host/namespace` for the repositories below it alone. */
  readonly name: string;
  /** The key of its credentials. */
  readonly key: string;
  /** As it was given; Docker Hub's key if nothing was given. */
  readonly given: string;
  /** What Docker calls it: the host as it was given, with its namespace, or Docker Hub's key if nothing was given. */
  readonly shown: string;
}

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const hostPort = new RegExp(`^(?:${label}(?:\\.${label})*|\\[([0-9a-fA-F:]+)\\])(?::(\\d{1,5}))?$`);

/**
 * Reads the server that `login` and `logout` are given: a host, a host and a namespace (`host/team`), or a URL of a
 * host, whose path is ignored.
 *
 * @param text If absent or empty, Docker Hub, which has several names.
 * @throws OciError USAGE for an invalid host. The message does not contain user and password of a URL.
 */
export function parseLoginServer(text: string | undefined): LoginServer {
  const given = text === undefined || text === '' ? hubKey : text;
  const name = convertToHostname(given);
  // Search the whole text: a password may contain a slash, which looks like the end of the host.
  const at = given.lastIndexOf('@');
  if (at >= 0) {
    const shown = quote(`…@${convertToHostname(given.slice(at + 1)).replace(/[?#].*$/s, '')}`);
    throw new OciError('USAGE', `invalid server ${shown}: a user name does not belong in it`, {
      hint: 'give the user with --username and the password with --password-stdin',
    });
  }
  const match = hostPort.exec(name);
  if (!match || Number(match[2] ?? 0) > 65_535 || (match[1] !== undefined && !isIPv6(match[1]))) {
    throw new OciError('USAGE', `invalid server ${show(given)}`, {
      hint: 'a server is a host, perhaps with a port, as in registry.example.com or localhost:5000',
    });
  }
  const host = authConfigKey(name) === hubKey ? indexName : name;
  const { namespace } = splitKey(given);
  if (namespace === '') {
    return { host, name: host, key: authConfigKey(name), given, shown: given === hubKey ? hubKey : name };
  }
  if (tryParseRepositoryName(namespace) === undefined) {
    throw new OciError('USAGE', `invalid namespace in ${show(given)}`, {
      hint: 'a namespace is the beginning of repository names, as in registry.example.com/team',
    });
  }
  const below = `${host}/${namespace}`;
  return { host, name: below, key: authConfigKey(below), given: below, shown: `${name}/${namespace}` };
}
