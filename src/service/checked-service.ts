import { checkArgument, checkFields, checkOptions, type Shape } from '../model/check-arguments.ts';
import type { RegistryService } from './contract.ts';
import type { SearchOptions } from './search/search.ts';
import type { ServiceOptions } from './service-config.ts';

const inReference = { domain: 'string', path: 'string' } as const;

const serviceOptionsShape: Shape<ServiceOptions> = {
  mirrors: 'array',
  insecureRegistries: 'array',
  allowNondistributableArtifacts: 'array',
};

const searchShape: Shape<SearchOptions> = { limit: 'number', filters: 'array', signal: 'object' };

/** A service whose methods refuse mistakes of plain JavaScript, such as a string in place of a parsed reference. */
export function checkedService(service: RegistryService): RegistryService {
  const reference = (method: string, value: object): void =>
    checkFields(method, 'the reference (of parseReference)', value, inReference);
  const word = (method: string, what: string, value: string): void => checkArgument(method, what, value, 'string');
  return {
    async resolveRepository(given) {
      reference('resolveRepository', given);
      return service.resolveRepository(given);
    },
    async lookupPullEndpoints(host, path) {
      word('lookupPullEndpoints', 'the host', host);
      return service.lookupPullEndpoints(host, path);
    },
    async lookupPushEndpoints(host, path) {
      word('lookupPushEndpoints', 'the host', host);
      return service.lookupPushEndpoints(host, path);
    },
    async isInsecureRegistry(host) {
      word('isInsecureRegistry', 'the host', host);
      return service.isInsecureRegistry(host);
    },
    serviceConfig: () => service.serviceConfig(),
    replaceConfig(options) {
      checkOptions('replaceConfig', options, serviceOptionsShape);
      return service.replaceConfig(options);
    },
    async open(given, intent) {
      reference('open', given);
      word('open', 'the intent (pull, push or look)', intent);
      return service.open(given, intent);
    },
    async openHost(server) {
      word('openHost', 'the server', server);
      return service.openHost(server);
    },
    async auth(server, credential, opts) {
      word('auth', 'the server', server);
      checkFields('auth', 'the credential', credential, { kind: 'string' });
      return service.auth(server, credential, opts);
    },
    async token(given, scopes, opts) {
      reference('token', given);
      checkArgument('token', 'the list of scopes', scopes, 'array');
      return service.token(given, scopes, opts);
    },
    async search(term, opts = {}) {
      word('search', 'the term', term);
      checkOptions('search', opts, searchShape);
      return service.search(term, opts);
    },
    async *diagnose(given, opts) {
      reference('diagnose', given);
      yield* service.diagnose(given, opts);
    },
    close: () => service.close(),
  };
}
