import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment } from '../../src/config/environment.ts';
import { parseHostRules } from '../../src/config/host-rules.ts';
import type { Origin } from '../../src/config/origin.ts';
import {
  orderRegistryRules,
  plainSource,
  type RegistryRule,
  type RegistrySource,
} from '../../src/config/registry-rules.ts';
import { readMirrors } from '../../src/config/settings.ts';
import type { APIEndpoint } from '../../src/endpoints/endpoint.ts';
import { type EndpointOptions, lookupPullEndpoints, lookupPushEndpoints } from '../../src/endpoints/lookup.ts';
import { isOciError } from '../../src/model/errors.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { issue } from '../certs/issue.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const origin: Origin = { kind: 'file', name: '/etc/containers/registries.conf', line: 7 };

function source(more: Partial<RegistrySource>): RegistrySource {
  return { ...plainSource, origin, ...more };
}

function rule(prefix: string, more: Partial<RegistryRule> = {}): RegistryRule {
  return { prefix, origin, blocked: false, mirrors: [], ...more };
}

function options(rules: readonly RegistryRule[], insecure: readonly string[] = []): EndpointOptions {
  const sourced = (values: readonly string[]) => values.map((value) => ({ value, origin }));
  const warn = (text: string) => assert.fail(text);
  return {
    settings: {
      registryMirrors: readMirrors(sourced(['https://docker.mirror'])),
      insecureRegistries: parseHostRules(sourced(insecure), 'insecure-registries', warn),
      allowNondistributableArtifacts: [],
      registryRules: orderRegistryRules(rules),
      certsDirs: sourced(['/nonexistent']),
      environment: environment({ env: {}, platform: 'linux' }),
    },
    warn,
    resolve: async () => [],
  };
}

function brief(endpoints: readonly APIEndpoint[], path?: string): readonly string[] {
  return endpoints.map((endpoint) => {
    const { url, mirror, official, tls, plainTwin, rename, references, overridePath, namespace } = endpoint;
    const words = [
      url.href,
      mirror && 'mirror',
      official && 'official',
      tls.verify === false && 'unverified',
      plainTwin && 'twin',
      references && `${references} only`,
      overridePath && 'overriding',
      namespace !== undefined && `ns=${namespace}`,
      rename && path !== undefined && `as ${rename(parseRepositoryName(path))}`,
    ];
    return words.filter((word) => typeof word === 'string').join(' ');
  });
}

async function pull(name: string, rules: readonly RegistryRule[], insecure?: readonly string[]) {
  const [host = '', ...rest] = name.split('/');
  const path = rest.join('/');
  const given = options(rules, insecure);
  return brief(await lookupPullEndpoints(host, given, path === '' ? undefined : parseRepositoryName(path)), path);
}

describe('the endpoints of a registry that a rule is about', () => {
  const hub = 'https://registry-1.docker.io/ official';
  const mirrors = [source({ host: 'a.mirror' }), source({ host: 'b.mirror:5000', scheme: 'http' })];
  const vectors: readonly (readonly [string, RegistryRule, readonly string[]])[] = [
    [
      'r.example/team/app',
      rule('r.example', { mirrors }),
      ['https://a.mirror/ mirror', 'http://b.mirror:5000/ mirror', 'https://r.example/'],
    ],
    [
      'docker.io/library/alpine',
      rule('docker.io', { mirrors }),
      ['https://docker.mirror/ mirror', 'https://a.mirror/ mirror', 'http://b.mirror:5000/ mirror', hub],
    ],
    ['r.example/team/app', rule('other.example', { mirrors }), ['https://r.example/']],
    ['r.example/team/app', rule('r.example/tea', { mirrors }), ['https://r.example/']],
    [
      'r.example/team/app',
      rule('r.example/team', { mirrors: [source({ host: 'm', repositoryPrefix: 'copy/of' })] }),
      ['https://m/ mirror as copy/of/app', 'https://r.example/'],
    ],
    [
      'r.example/team/app',
      rule('r.example/team', { mirrors: [source({ host: 'm', repositoryPrefix: '' })] }),
      ['https://m/ mirror as app', 'https://r.example/'],
    ],
    [
      'docker.io/library/alpine',
      rule('docker.io', { mirrors: [source({ host: 'm', repositoryPrefix: 'hub' })] }),
      ['https://docker.mirror/ mirror', 'https://m/ mirror as hub/library/alpine', hub],
    ],
    [
      'a.r.example:5000/app',
      rule('*.r.example', { mirrors: [source({ host: 'm', repositoryPrefix: 'all' })] }),
      ['https://m/ mirror as all/app', 'https://a.r.example:5000/'],
    ],
    [
      'r.example/app',
      rule('r.example', { server: source({ host: 's.example', scheme: 'https' }) }),
      ['https://s.example/'],
    ],
    ['r.example/app', rule('r.example', { server: source({ host: 'docker.io' }) }), [hub]],
    ['docker.io/library/a', rule('docker.io', { server: source({}) }), ['https://docker.mirror/ mirror', hub]],
    [
      'r.example/app',
      rule('r.example', { server: source({ insecure: true }) }),
      ['https://r.example/ unverified', 'http://r.example/ twin'],
    ],
    [
      'r.example/app',
      rule('r.example', { server: source({ insecure: true, scheme: 'https' }) }),
      ['https://r.example/ unverified'],
    ],
    ['r.example/app', rule('r.example', { server: source({ scheme: 'http' }) }), ['http://r.example/']],
    [
      'r.example/app',
      rule('r.example', {
        mirrors: [source({ host: 'm', references: 'digests' }), source({ host: 'n', references: 'tags' })],
      }),
      ['https://m/ mirror digests only', 'https://n/ mirror tags only', 'https://r.example/'],
    ],
    [
      'r.example/app',
      rule('r.example', { mirrors: [source({ host: 'm', resolve: false }), source({ host: 'n', pull: false })] }),
      ['https://m/ mirror digests only', 'https://r.example/'],
    ],
    [
      'r.example/app',
      rule('_default', {
        mirrors: [source({ host: 'm', path: '/v2/proxy/', overridePath: true, namespaceQuery: true })],
      }),
      ['https://m/v2/proxy/ mirror overriding ns=r.example', 'https://r.example/'],
    ],
  ];
  for (const [name, given, expected] of vectors) {
    it(`${name} under ${given.prefix}: ${expected.join(', ')}`, async () => {
      assert.deepEqual(await pull(name, [given]), expected);
    });
  }

  it('are insecure where Docker’s own settings name the mirror’s host', async () => {
    const given = rule('r.example', { mirrors: [source({ host: 'm:5000' })] });
    assert.deepEqual(await pull('r.example/app', [given], ['m:5000']), [
      'https://m:5000/ mirror unverified',
      'http://m:5000/ mirror twin',
      'https://r.example/',
    ]);
  });

  it('keep the plain http of an insecure host where a rule only says how its TLS is', async () => {
    const given = rule('r.example', { server: source({ insecure: true, scheme: 'https' }) });
    assert.deepEqual(await pull('r.example/app', [given], ['r.example']), [
      'https://r.example/ unverified',
      'http://r.example/ twin',
    ]);
  });

  it('are insecure by the rule that covers them alone, not by one about the host of a mirror or about all others', async () => {
    const insecure = { server: source({ insecure: true }) };
    const mirrored = { mirrors: [source({ host: 'm' })] };
    assert.deepEqual(await pull('docker.io/library/a', [rule('_default', insecure)]), [
      'https://docker.mirror/ mirror',
      hub,
    ]);
    for (const rules of [
      [rule('r.example', mirrored), rule('m', insecure)],
      [rule('r.example', mirrored), rule('_default', insecure)],
      [rule('r.example', insecure), rule('r.example/team', mirrored)],
    ]) {
      assert.deepEqual(await pull('r.example/team/app', rules), ['https://m/ mirror', 'https://r.example/']);
    }
  });

  it('never make Docker Hub insecure', async () => {
    const given = rule('docker.io', { server: source({ insecure: true }) });
    assert.deepEqual(await pull('docker.io/library/a', [given]), ['https://docker.mirror/ mirror', hub]);
  });

  it('are refused with status 4 where the rule blocks it, for a push too, and named with file and line', async () => {
    const given = options([rule('r.example/bad', { blocked: true })]);
    const path = parseRepositoryName('bad/app');
    for (const lookup of [lookupPullEndpoints, lookupPushEndpoints]) {
      await assert.rejects(
        lookup('r.example', given, path),
        (error) =>
          isOciError(error, 'DENIED') &&
          error.message.startsWith(
            'r.example/bad/app is blocked by the rule for "r.example/bad" (/etc/containers/registries.conf:7)',
          ),
      );
    }
    assert.equal((await lookupPullEndpoints('r.example', given, parseRepositoryName('good'))).length, 1);
    assert.equal((await lookupPullEndpoints('r.example', given)).length, 1);
  });

  it('of a push are the mirrors that take one, and the registry at its own name where it was only moved for pulls', async () => {
    const moved = source({ host: 's.example', push: false });
    const taking = [source({ host: 'm' }), source({ host: 'n', push: false })];
    const push = async (given: RegistryRule) => brief(await lookupPushEndpoints('r.example', options([given])));
    assert.deepEqual(await push(rule('r.example', { mirrors: taking, server: moved })), [
      'https://m/ mirror',
      'https://r.example/',
    ]);
    assert.deepEqual(await push(rule('r.example', { server: source({ host: 's.example' }) })), ['https://s.example/']);
  });

  it('carry headers, a time to connect and where they were set, and the credentials of their own host', async () => {
    const given = rule('r.example', {
      mirrors: [source({ host: 'm', headers: { 'x-key': 'k' }, connectTimeoutMs: 5 })],
    });
    const [mirror, own] = await lookupPullEndpoints('r.example', options([given]));
    assert.deepEqual([mirror?.headers, mirror?.connectTimeoutMs, mirror?.origin], [{ 'x-key': 'k' }, 5, origin]);
    assert.equal(mirror?.credentialHost, 'm');
    assert.deepEqual([own?.headers, own?.connectTimeoutMs, own?.origin], [undefined, undefined, undefined]);
  });

  it('list repositories under our names, and leave out those without one', async () => {
    const given = rule('r.example/team', { mirrors: [source({ host: 'm', repositoryPrefix: 'copy/of' })] });
    const [mirror] = await lookupPullEndpoints('r.example', options([given]), parseRepositoryName('team/app'));
    for (const [here, there] of [
      ['team/app', 'copy/of/app'],
      ['team/a/b', 'copy/of/a/b'],
      ['team', 'copy/of'],
    ] as const) {
      assert.equal(mirror?.rename?.(parseRepositoryName(here)), there);
      assert.equal(mirror?.nameBack?.(parseRepositoryName(there)), here);
    }
    assert.equal(mirror?.rename?.(parseRepositoryName('teams/app')), 'teams/app');
    assert.equal(mirror?.nameBack?.(parseRepositoryName('copy/offer')), undefined);
  });

  it('refuse a name that becomes empty or invalid', async () => {
    const given = rule('r.example/app', { mirrors: [source({ host: 'm', repositoryPrefix: '' })] });
    await assert.rejects(pull('r.example/app', [given]), (error) => isOciError(error, 'CONFIG_INVALID'));
    const odd = rule('r.example', { mirrors: [source({ host: 'm', repositoryPrefix: 'Not/OK' })] });
    await assert.rejects(
      pull('r.example/app', [odd]),
      (error) =>
        isOciError(error, 'CONFIG_INVALID') && /"Not\/OK\/app" is not a valid repository name/.test(error.message),
    );
  });

  it('trust the files that a rule names, which must be there and be good', async (t) => {
    const directory = await temporaryDirectory(t);
    const at = (name: string) => join(directory, name);
    const authority = issue('CA');
    const client = issue('client', { by: authority });
    await writeFile(at('ca.pem'), authority.cert);
    await writeFile(at('both.pem'), client.cert + client.key);
    await writeFile(at('none.pem'), 'nothing');
    await writeFile(at('other.key'), issue('other').key);
    const both = { cert: at('both.pem'), key: at('both.pem') };
    const looked = (more: Partial<RegistrySource>) =>
      lookupPullEndpoints('r.example', options([rule('r.example', { server: source(more) })]));
    const [endpoint] = await looked({ ca: [at('ca.pem')], clients: [both] });
    assert.deepEqual(endpoint?.tls.ca, [authority.cert.trim()]);
    assert.equal(endpoint?.tls.cert, client.cert + client.key);
    const [lax] = await looked({ insecure: true, scheme: 'https', clients: [both] });
    assert.deepEqual([lax?.tls.verify, lax?.tls.cert], [false, client.cert + client.key]);
    for (const [more, words] of [
      [{ ca: [at('absent.pem')] }, /registries\.conf:7: .*absent\.pem cannot be read \(ENOENT\)/],
      [{ ca: [at('none.pem')] }, /none\.pem holds no PEM certificate/],
      [{ clients: [{ cert: at('both.pem'), key: at('none.pem') }] }, /none\.pem holds no PEM key/],
      [{ clients: [{ cert: at('both.pem'), key: at('other.key') }] }, /other\.key is not the key of/],
    ] as const) {
      await assert.rejects(looked(more), (error) => isOciError(error, 'CONFIG_INVALID') && words.test(error.message));
    }
  });
});
