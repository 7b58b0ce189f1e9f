/**
 * Every parser of text from outside, one line each. A parser that is not in this table has not been tested for linear time.
 */

import { suggestCommand, suggestOption } from '../../src/commands/command-line/suggest.ts';
import { parseImageFilters } from '../../src/commands/images/filters.ts';
import { parseListenAddress, parseRate } from '../../src/commands/serve/announcement.ts';
import { readHostDirectory } from '../../src/config/containers/hosts-toml.ts';
import { parsePolicyJson } from '../../src/config/containers/policy-json.ts';
import { openRegistriesConf, readRegistriesConf } from '../../src/config/containers/registries-conf.ts';
import { readShortNames, resolveShortName } from '../../src/config/containers/short-names.ts';
import { parseDaemonJson } from '../../src/config/docker/daemon-json.ts';
import { maskAuthKey, parseDockerAuthConfig, parseDockerConfig } from '../../src/config/docker/docker-config.ts';
import { parseCidr } from '../../src/config/documents/cidr.ts';
import { readDurationMs } from '../../src/config/documents/duration.ts';
import { refuseUnknownKeys } from '../../src/config/documents/known-keys.ts';
import { readLocation, readPrefix, readSourceUrl } from '../../src/config/documents/rule-location.ts';
import { parseYamlDocument } from '../../src/config/documents/yaml-document.ts';
import { parseHostRules } from '../../src/config/host-rules.ts';
import { parseConfigYaml } from '../../src/config/ocictl/config-yaml.ts';
import { parseHtpasswd } from '../../src/config/ocictl/htpasswd.ts';
import { parseTrustPolicy } from '../../src/config/ocictl/trust-policy.ts';
import { maskProxy } from '../../src/config/proxy.ts';
import { answerHelperCall } from '../../src/credentials/helper-protocol.ts';
import { shownKey, splitKey } from '../../src/credentials/registry-key.ts';
import { parseLayoutIndex } from '../../src/layout/format/index-entries.ts';
import { parseDigest } from '../../src/model/digest.ts';
import { parseDurationMs } from '../../src/model/duration.ts';
import { parseIpv6 } from '../../src/model/ipv6.ts';
import { parseJson } from '../../src/model/json.ts';
import { parseJsonObject } from '../../src/model/json-fields.ts';
import { readImageConfig } from '../../src/model/manifest/image-config.ts';
import { detectMediaType, parseManifest } from '../../src/model/manifest/manifest.ts';
import { bareMediaType, mediaTypes } from '../../src/model/manifest/media-types.ts';
import { schema1Layers, verifySchema1 } from '../../src/model/manifest/schema1.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { quote, visible } from '../../src/model/quote.ts';
import { parseReference, parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { repairReference } from '../../src/model/reference/reference-repair.ts';
import { fromStoreName } from '../../src/model/reference/store-name.ts';
import { refuseMisread } from '../../src/places/misread.ts';
import { readBasic } from '../../src/server/auth/logins.ts';
import { readJwks, readRoots } from '../../src/server/auth/token-trust.ts';
import { parseLoginServer } from '../../src/service/logins/server-name.ts';
import { parseSearchFilters } from '../../src/service/search/search-filters.ts';
import { splitSearchTerm } from '../../src/service/search/search-term.ts';
import { parseUploadId } from '../../src/storage/paths.ts';
import { parseRowFormat, parseTemplate } from '../../src/terminal/template.ts';
import { decideProxy } from '../../src/transport/proxy/proxy.ts';
import { parseReadHead } from '../../src/transport/reads/head.ts';
import { redactUrl } from '../../src/transport/redact.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { decodeError, printable } from '../../src/wire/errors.ts';
import {
  parseChunkRange,
  parseContentRange,
  parseNextLink,
  parseRangeRequest,
  parseRetryAfter,
  parseUploadRange,
  parseWarnings,
} from '../../src/wire/headers.ts';
import { parseRoute } from '../../src/wire/routes.ts';
import { decodeSearch } from '../../src/wire/v1-search.ts';
import { jsonTexts, tomlTexts, yamlTexts } from './documents.ts';
import { signatureParsers } from './signatures.ts';

export interface HostileCase {
  readonly parse: (text: string) => unknown;
  /** Beginnings that bring the parser into a certain state before the repeated pieces. */
  readonly starts?: readonly string[];
  /** Pieces for this parser, in addition to those for every parser. */
  readonly pieces?: readonly string[];
  /** Complete texts of about this size. */
  readonly texts?: (bytes: number) => readonly string[];
  /** Of texts that take long to read, the default tier takes every so many-th. */
  readonly stride?: number;
}

const origin = { kind: 'environment', name: 'X' } as const;
const sourced = (value: string) => ({ value, origin });
const bytes = (text: string) => Buffer.from(text);
const anyDocument = parseYamlDocument('', 'x');
const silent = () => {};
const keychain = {
  get: async () => undefined,
  set: async () => {},
  remove: async () => false,
  list: async () => [],
};
const file = 'x';

export const parsers: Readonly<Record<string, HostileCase>> = {
  reference: { parse: parseReference, starts: ['a', 'a/', 'a:5000/', '[::', 'a@sha256:', 'http://', 'a:'] },
  'repository name': { parse: parseRepositoryName, starts: ['a', 'a/'] },
  tag: { parse: parseTag },
  'repaired reference': { parse: repairReference, starts: ['http://', 'A', 'a:', '@'] },
  'store name': { parse: fromStoreName, starts: ['a/', 'a_5000/'] },
  'misread word': { parse: (text) => refuseMisread(text, 'image'), starts: ['http://', 'oci:', '-', 'a/'] },
  digest: { parse: parseDigest, starts: ['sha256:', 'a+'] },
  'media type': { parse: bareMediaType, starts: ['a/b', 'a/b;'] },
  platform: { parse: parsePlatform, starts: ['linux/', 'linux(', 'linux/arm/'] },
  duration: { parse: parseDurationMs, starts: ['1h', '-'] },
  'duration setting': { parse: (text) => readDurationMs(sourced(text)), starts: ['1h'] },
  'IPv6 address': { parse: parseIpv6, starts: ['::', '1:'] },
  network: { parse: parseCidr, starts: ['10.0.0.0/', '::/', '1.'] },
  'host rule': { parse: (text) => parseHostRules([sourced(text)], 's', silent), starts: ['a.', '[', 'http://', 'a:'] },
  'quoted text': { parse: quote },
  'visible text': { parse: visible },
  challenges: { parse: parseChallenges, starts: ['Bearer ', 'Bearer realm="', 'Bearer realm='] },
  'next link': { parse: parseNextLink, starts: ['<', '<a>', '<a>;a', '<a>; rel="', ',', '/a', 'a', '<a,'] },
  warnings: { parse: parseWarnings, starts: ['299', '299 ', '299 - "'], pieces: ['299 - "\\', '299 - '] },
  'chunk range': { parse: parseChunkRange, starts: ['bytes=', 'bytes ', '0-'] },
  'content range': { parse: parseContentRange, starts: ['bytes ', 'bytes 0-'] },
  'upload range': { parse: parseUploadRange, starts: ['bytes=', '0-'] },
  range: { parse: (text) => parseRangeRequest(text, 10), starts: ['bytes=', 'bytes=0-'] },
  'retry after': { parse: (text) => parseRetryAfter(text, 0), starts: ['Mon, ', '1'] },
  route: { parse: parseRoute, starts: ['/v2/', '/v2/a/blobs/'], pieces: ['/blobs/', 'a/blobs/uploads/', '/manifests'] },
  'printable text': { parse: printable, starts: ['https://', 'https://a?'] },
  'error body': {
    parse: (text) => decodeError(bytes(text), { status: 400, subject: 's', endpoint: 'e' }),
    texts: jsonTexts,
  },
  'search answer': { parse: (text) => decodeSearch(bytes(text)), texts: jsonTexts },
  'basic login': { parse: readBasic, starts: ['Basic ', 'Basic YTpi'] },
  'upload id': { parse: parseUploadId, starts: ['a', '0-'] },
  'redacted URL': { parse: redactUrl, starts: ['http://', 'http://a?', 'http://a@'] },
  'head of a read': {
    parse: (text) => parseReadHead(text, 1000, true),
    starts: ['HTTP/1.1 200 ', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n', 'HTTP/1.1 200 OK\r\nKeep-Alive: '],
    pieces: ['a: b\r\n', 'Keep-Alive: timeout=\r\n', 'timeout=', ',timeout=1', '\r\n', 'content-length: 1\r\n'],
  },
  template: {
    parse: parseTemplate,
    starts: ['{{', '{{"', '{{/*', '{{ .A', '{{if .A}}', '{{`'],
    pieces: [
      '{{',
      '{{-',
      '}}',
      '{{if .A}}',
      '{{if .A}}{{else ',
      '(',
      '.A',
      '$a',
      '|',
      '{{end}}',
      '*/',
      '{{/**/}}',
      '{{.A | len}}',
    ],
    texts: (size) => [
      '{{if .}}'.repeat(size / 16) + '{{end}}'.repeat(size / 16),
      `{{${'('.repeat(size / 2)}.A${')'.repeat(size / 2)}}}`,
      `{{if .}}${'{{else if .}}'.repeat(size / 13)}{{end}}`,
    ],
  },
  'row format': {
    parse: (text) => parseRowFormat(text, { A: 'A' }),
    starts: ['table ', 'table {{.A'],
    pieces: ['{{.A}}'],
  },
  htpasswd: { parse: (text) => parseHtpasswd(text, file), starts: ['a:', '#'], pieces: ['a:b\n', '\n', '\r\n'] },
  'config.json': { parse: (text) => parseDockerConfig(text, file), texts: jsonTexts },
  DOCKER_AUTH_CONFIG: { parse: parseDockerAuthConfig, texts: jsonTexts },
  'daemon.json': { parse: (text) => parseDaemonJson(text, file), texts: jsonTexts },
  'config.yaml': { parse: (text) => parseConfigYaml({ file, text }, '/'), stride: 3, texts: yamlTexts },
  'a policy': {
    parse: (text) => parseTrustPolicy({ document: parseYamlDocument(text, file), file, resolve: (path) => path }),
    texts: yamlTexts,
    starts: ['default: reject\nregistries:\n  "a.io/', 'default: reject\nregistries: { a.io: { signed-by: ['],
    pieces: ['*', '**/', '*.', 'a/'],
    stride: 11,
  },
  'policy.json': {
    parse: (text) => parsePolicyJson({ document: parseYamlDocument(text, file), file, resolve: (path) => path }),
    texts: jsonTexts,
    starts: ['{"default": [', '{"default": [{"type": "reject"}], "transports": {"docker": {"'],
    stride: 11,
  },
  'hosts.toml': {
    parse: (text) => readHostDirectory({ root: '/', name: 'a', text: { file, text }, inside: [] }, silent),
    texts: tomlTexts,
  },
  'registries.conf': {
    parse: (text) => {
      const fields = openRegistriesConf({ file, text });
      return [readRegistriesConf([{ file, text, fields, dropIn: false }], silent), readShortNames([fields])];
    },
    texts: tomlTexts,
  },
  'short name': {
    parse: (text) => resolveShortName(text, { search: [sourced('a.b')], aliases: new Map(), mode: 'permissive' }),
  },
  location: { parse: (text) => readLocation(sourced(text)), starts: ['a/', 'a:'] },
  prefix: { parse: (text) => readPrefix(sourced(text)), starts: ['*.', 'a/'] },
  'source URL': { parse: (text) => readSourceUrl(sourced(text), false), starts: ['http://', 'http://a/'] },
  'masked key': { parse: maskAuthKey, starts: ['http://', '?'] },
  'registry key': { parse: (text) => [splitKey(text), shownKey(text)], starts: ['http://', 'a/'] },
  'masked proxy': { parse: maskProxy, starts: ['http://', 'a@'] },
  proxy: {
    parse: (text) => decideProxy(new URL('http://1.2.3.4/'), { http: sourced(text) }),
    starts: ['http://', 'socks5://', 'http://a:b@'],
  },
  NO_PROXY: {
    parse: (text) => decideProxy(new URL('http://1.2.3.4/'), { http: sourced('http://p:1'), noProxy: sourced(text) }),
    pieces: ['a,', '*.', '1.2.3.4/8,', '::/1,', 'a:1,', ', '],
  },
  'nearest key': { parse: (text) => refuseUnknownKeys({ ...anyDocument, value: { [text]: 1 } }, { root: true }, file) },
  'nearest command': { parse: (text) => suggestCommand([text, text], ['pull', 'push']) },
  'nearest option': { parse: (text) => suggestOption(text, ['--platform', '--json']), starts: ['--'] },
  'image filter': {
    parse: (text) => parseImageFilters([text]),
    starts: ['reference=', 'dangling=', 'label='],
    pieces: ['*', '*a', '[a', '**/'],
  },
  'search filter': { parse: (text) => parseSearchFilters([text]), starts: ['stars=', 'is-official='] },
  'search term': { parse: splitSearchTerm, starts: ['a.b/', 'a/'] },
  'login server': { parse: parseLoginServer, starts: ['http://', 'a/'] },
  'listen address': { parse: parseListenAddress, starts: ['[', ':', 'a:'] },
  rate: { parse: (text) => parseRate(text), starts: ['1'] },
  'helper input': {
    parse: (text) => answerHelperCall('store', text, async () => keychain),
    texts: jsonTexts,
  },
  'key set': { parse: (text) => readJwks(text, file), texts: jsonTexts },
  'trusted roots': {
    parse: (text) => readRoots(text, file),
    starts: ['-----BEGIN CERTIFICATE-----'],
    pieces: ['-----BEGIN CERTIFICATE-----', '-----BEGIN CERTIFICATE-----a-----'],
  },
  JSON: { parse: parseJson, texts: jsonTexts, pieces: ['"\\', '{"a":', '[['] },
  'JSON object': { parse: (text) => parseJsonObject(bytes(text)), texts: jsonTexts },
  'image manifest': {
    parse: (text) => parseManifest({ mediaType: mediaTypes.ociManifest, bytes: bytes(text) }),
    texts: jsonTexts,
  },
  'image index': {
    parse: (text) => parseManifest({ mediaType: mediaTypes.ociIndex, bytes: bytes(text) }),
    texts: jsonTexts,
  },
  'manifest without a type': { parse: (text) => detectMediaType(bytes(text)), texts: jsonTexts },
  'schema 1': { parse: (text) => [schema1Layers(bytes(text)), verifySchema1(bytes(text))], texts: jsonTexts },
  'image config': { parse: (text) => readImageConfig(bytes(text)), texts: jsonTexts },
  'index.json of a layout': { parse: (text) => parseLayoutIndex(parseJsonObject(bytes(text))), texts: jsonTexts },
  ...signatureParsers,
};
