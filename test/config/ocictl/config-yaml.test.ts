import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hostRuleText } from '../../../src/config/host-rules.ts';
import { configYamlFile } from '../../../src/config/paths.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { configError, world } from '../world.ts';

const own = '.config/ocictl/config.yaml';

describe('config.yaml', () => {
  it('sets everything that can be set, each with its line', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write(
      own,
      [
        'registry-mirrors: [https://mirror.example]', // 1
        'insecure-registries:', // 2
        '  - 10.0.0.0/8',
        '  - plain:5000',
        'allow-nondistributable-artifacts: [foreign.example]', // 5
        'max-concurrent-downloads: 7',
        'max-concurrent-uploads: 0',
        'max-download-attempts: 2',
        'root: ~/images', // 9
        'certs-dir: certs',
        'docker-config: /somewhere/docker', // 11
        'platform: linux/aarch64',
        'proxies:',
        '  https-proxy: http://ada:secret@proxy:3128', // 14
        '  no-proxy: localhost,.example.com',
        'allow-private: [auth.example, 10.0.0.1/8]', // 16
      ].join('\n'),
    );
    const settings = await load();
    const at = (line: number) => ({ kind: 'file', name: file, line });
    assert.deepEqual(settings.registryMirrors, [{ value: 'https://mirror.example/', origin: at(1) }]);
    assert.deepEqual(
      settings.insecureRegistries.map(({ origin }) => origin.line),
      [3, 4],
    );
    assert.deepEqual(settings.allowNondistributableArtifacts[0]?.origin, at(5));
    assert.deepEqual(settings.allowPrivate.map(hostRuleText), ['auth.example', '10.0.0.0/8']);
    assert.deepEqual(settings.allowPrivate[0]?.origin, at(16));
    assert.deepEqual(settings.maxConcurrentDownloads, { value: 7, origin: at(6) });
    assert.equal(settings.maxConcurrentUploads.value, 4, '0 stands for the default');
    assert.deepEqual(settings.maxDownloadAttempts, { value: 2, origin: at(8) });
    assert.deepEqual(settings.storeRoot, { value: join(home, 'images'), origin: at(9) });
    assert.deepEqual(settings.certsDirs, [{ value: join(home, '.config/ocictl/certs'), origin: at(10) }]);
    assert.deepEqual(settings.dockerConfigDir, { value: '/somewhere/docker', origin: at(11) });
    assert.equal(settings.defaultPlatform?.value.architecture, 'arm64');
    assert.deepEqual(settings.proxy, {
      http: undefined,
      https: { value: 'http://ada:secret@proxy:3128', origin: at(14) },
      all: undefined,
      noProxy: { value: 'localhost,.example.com', origin: at(15) },
    });
  });

  it('has rules with all that a source can have', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write(
      own,
      [
        'registries:',
        '  - prefix: docker.io/library', // 2
        '    mirrors:',
        '      - https://m1.example/hub', // 4
        '      - m2.example:5000/hub',
        '      - url: http://m3.example/api/v2', // 6
        '        override-path: true',
        '        insecure: true',
        '        references: digests',
        '        capabilities: [pull, push]',
        '        namespace-query: true',
        '        ca: m3.crt',
        '        client: [{ cert: m3.cert, key: /keys/m3.key }, { cert: both.pem }]',
        '        headers: { x-token: one, x-many: [a, b] }',
        '        connect-timeout: 1m30s',
        '  - prefix: "*.corp.example"', // 16
        '    server: { insecure: true }',
        '  - prefix: old.example', // 18
        '    server: new.example/old',
        '  - prefix: _default', // 20
        '    blocked: true',
      ].join('\n'),
    );
    const { registryRules } = await load();
    const at = (line: number) => ({ kind: 'file', name: file, line });
    const plain = {
      path: '/',
      overridePath: false,
      insecure: false,
      references: 'all',
      pull: true,
      resolve: true,
      push: false,
      namespaceQuery: false,
      ca: [],
      clients: [],
      headers: {},
    };
    const near = (name: string) => join(home, '.config/ocictl', name);
    assert.deepEqual(registryRules, [
      {
        prefix: 'docker.io/library',
        origin: at(2),
        blocked: false,
        mirrors: [
          { ...plain, origin: at(4), scheme: 'https', host: 'm1.example', path: '/hub/' },
          { ...plain, origin: at(5), host: 'm2.example:5000', repositoryPrefix: 'hub' },
          {
            ...plain,
            origin: at(6),
            scheme: 'http',
            host: 'm3.example',
            path: '/api/v2/',
            overridePath: true,
            insecure: true,
            references: 'digests',
            resolve: false,
            push: true,
            namespaceQuery: true,
            ca: [near('m3.crt')],
            clients: [
              { cert: near('m3.cert'), key: '/keys/m3.key' },
              { cert: near('both.pem'), key: near('both.pem') },
            ],
            headers: { 'x-token': 'one', 'x-many': 'a, b' },
            connectTimeoutMs: 90_000,
          },
        ],
      },
      {
        prefix: 'old.example',
        origin: at(18),
        blocked: false,
        mirrors: [],
        server: { ...plain, origin: at(19), host: 'new.example', repositoryPrefix: 'old', push: true },
      },
      {
        prefix: '*.corp.example',
        origin: at(16),
        blocked: false,
        mirrors: [],
        server: { ...plain, origin: at(17), insecure: true, push: true },
      },
      { prefix: '_default', origin: at(20), blocked: true, mirrors: [] },
    ]);
  });

  const faults = [
    ['a: [1', /config\.yaml:1:\d+: not valid YAML: /],
    ['root: "secret', /config\.yaml:1:\d+: not valid YAML: (?!.*secret)/],
    ['root: a\nroot: b', /config\.yaml:2:1: not valid YAML: this key occurs twice/],
    ['root: a\n---\nroot: b', /config\.yaml:2:1: not valid YAML: a second document begins/],
    ['root: *gone', /config\.yaml:1:7: not valid YAML: an alias precedes its anchor/],
    [
      `a: &a [${'x,'.repeat(99)}]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`,
      /not valid YAML: it has more than 100 aliases/,
    ],
    ['- a', /config\.yaml:1: the file must be a mapping of keys to values/],
    ['root: 3', /config\.yaml:1: "root" must be a string/],
    ['\nregistry-mirrors: https://m', /config\.yaml:2: "registry-mirrors" must be a list of strings/],
    ['registry-mirrors:\n- https://m\n- m', /config\.yaml:3: invalid mirror: no scheme/],
    ['insecure-registries: [10.0.0.0/33]', /config\.yaml:1: invalid insecure-registries entry "10\.0\.0\.0\/33"/],
    ['max-concurrent-downloads: "3"', /"max-concurrent-downloads" must be a whole number/],
    ['platform: no/such/thing/at/all', /config\.yaml:1: /],
    ['short-names: podman', /config\.yaml:1: "short-names" must be one of docker, containers/],
    ['registries: {}', /"registries" must be a list of objects/],
    ['registries:\n- blocked: true', /config\.yaml:2: a rule in registries needs a prefix/],
    ['registries:\n- prefix: alpine', /config\.yaml:2: "alpine" covers nothing: "alpine" is not a registry/],
    ['registries:\n- prefix: team/app', /config\.yaml:2: "team\/app" covers nothing: "team" is not a registry/],
    ['registries:\n- prefix: index.docker.io/x', /"index\.docker\.io\/x" covers nothing: images of Docker Hub are in/],
    ['registries:\n- prefix: https://h', /config\.yaml:2: "https:\/\/h" must not have a scheme/],
    ['registries:\n- prefix: h.io/x:1', /config\.yaml:2: a rule cannot be for a single tag or digest/],
    ['registries:\n- prefix: h.io\n- prefix: h.io', /config\.yaml:3: h\.io has a rule already, in line 2/],
    [
      'registries:\n- prefix: h.io\n  mirrors: [{ insecure: true }]',
      /config\.yaml:3: a mirror needs a url or a location/,
    ],
    [
      'registries:\n- prefix: h.io\n  mirrors: ["ftp://m"]',
      /config\.yaml:3: "ftp:\/\/m" is not the address of a registry/,
    ],
    [
      'registries:\n- prefix: h.io\n  mirrors: ["https://u:secret@m"]',
      /config\.yaml:3: "https:\/\/…@m" is not the address/,
    ],
    ['registries:\n- prefix: h.io\n  server: { url: "https://a", location: b }', /url and location exclude each other/],
    ['registries:\n- prefix: h.io\n  server: { location: b, override-path: true }', /override-path needs a url/],
    ['registries:\n- prefix: h.io\n  server: { capabilities: [fly] }', /a capability is one of pull, resolve, push/],
    [
      'registries:\n- prefix: h.io\n  server: { references: some }',
      /"registries\.0\.server\.references" must be one of/,
    ],
    ['registries:\n- prefix: h.io\n  server: { connect-timeout: soon }', /"soon" is not a duration/],
    [
      'registries:\n- prefix: h.io\n  server: { client: [{ key: a }] }',
      /"registries\.0\.server\.client\.0\.cert" must be/,
    ],
    [
      'registries:\n- prefix: h.io\n  server:\n    headers: { a: "x\\ny: z" }',
      /config\.yaml:4: "headers\.a" is not a valid/,
    ],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the file and the line`, async (t) => {
      const { load, write } = await world(t);
      await write(own, text);
      await assert.rejects(load(), configError(message));
    });
  }

  const unknown = [
    ['registry-mirror: [a]', '1:1', 'registry-mirror', 'did you mean registry-mirrors?'],
    ['root: a\n  \ninsecure_registries: []', '3:1', 'insecure_registries', 'did you mean insecure-registries?'],
    ['proxies:\n  http: p', '2:3', 'http', 'the keys here are http-proxy, https-proxy, all-proxy, no-proxy'],
    ['proxies: { httpproxy: p }', '1:12', 'httpproxy', 'did you mean http-proxy?'],
    ['registries:\n- prefix: h.io\n  mirrors:\n  - url: a\n    insecur: 1', '5:5', 'insecur', 'did you mean insecure?'],
    ['registries:\n- prefix: h.io\n  blokced: true', '3:3', 'blokced', 'did you mean blocked?'],
    ['3: true', '1:1', '3', /^the keys here are registry-mirrors, /],
  ] as const;
  for (const [text, place, key, hint] of unknown) {
    it(`${JSON.stringify(text)} has an unknown key, at ${place}`, async (t) => {
      const { load, write } = await world(t);
      const file = await write(own, text);
      await assert.rejects(load(), (error) => {
        assert.ok(isOciError(error, 'CONFIG_INVALID'));
        assert.equal(error.message, `${file}:${place}: unknown key ${JSON.stringify(key)}`);
        if (typeof hint === 'string') assert.equal(error.hint, hint);
        else assert.match(error.hint ?? '', hint);
        return true;
      });
    });
  }

  for (const text of ['', '# only a comment\n', '{}', 'registry-mirrors:\nproxies:\nregistries:\n']) {
    it(`${JSON.stringify(text)} sets nothing`, async (t) => {
      const { load, write } = await world(t);
      await write(own, text);
      const { registryMirrors, registryRules, files } = await load();
      assert.deepEqual([...registryMirrors, ...registryRules], []);
      assert.equal(files.find(({ purpose }) => purpose === 'config.yaml')?.state, 'read');
    });
  }
});

describe('where config.yaml is', () => {
  const where = { env: {}, homedir: '/home/ada', uid: 1000 };

  it('follows the platform', () => {
    assert.equal(configYamlFile({ ...where, platform: 'linux' }), '/home/ada/.config/ocictl/config.yaml');
    assert.equal(configYamlFile({ ...where, platform: 'darwin' }), '/home/ada/.config/ocictl/config.yaml');
    const env = { XDG_CONFIG_HOME: '/xdg' };
    assert.equal(configYamlFile({ ...where, env, platform: 'linux' }), '/xdg/ocictl/config.yaml');
    assert.equal(
      configYamlFile({ ...where, env: { APPDATA: 'C:\\Roaming' }, platform: 'win32' }),
      'C:\\Roaming\\ocictl\\config.yaml',
    );
  });

  it('is named by OCICTL_CONFIG, and then the file must exist', async (t) => {
    const { load, write, home } = await world(t);
    await write(own, 'root: /usual');
    const file = await write('other.yaml', 'root: /other');
    assert.equal((await load({ env: { OCICTL_CONFIG: file } })).storeRoot?.value, '/other');
    await assert.rejects(
      load({ env: { OCICTL_CONFIG: join(home, 'gone.yaml') } }),
      configError(/^OCICTL_CONFIG names .*gone\.yaml, which does not exist/),
    );
  });

  it('must be readable for its owner', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write(own, 'root: /a');
    await chmod(home, 0o755);
    await chmod(file, 0);
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      await assert.rejects(load(), configError(/config\.yaml cannot be read: EACCES/));
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});
