import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { matchRegistryRule, type RegistrySource } from '../../../src/config/registry-rules.ts';
import { configError, world } from '../world.ts';

const system = 'etc/containerd/certs.d';
const user = '.config/containerd/certs.d';

function show(source: RegistrySource): string {
  const { scheme, host, path, overridePath, insecure, pull, resolve, push, namespaceQuery } = source;
  return [
    `${scheme ?? ''}://${host ?? ''}${path}${overridePath ? '' : 'v2/'}`,
    [pull && 'pull', resolve && 'resolve', push && 'push'].filter(Boolean).join('+'),
    ...(insecure ? ['insecure'] : []),
    ...(namespaceQuery ? ['ns'] : []),
  ].join(' ');
}

describe('hosts.toml', () => {
  it('gives the server and, in the order of the file, the hosts before it', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write(
      `${system}/docker.io/hosts.toml`,
      [
        'server = "https://registry-1.docker.io"', // 1
        '',
        '[host."https://z.example:8443/hub"]', // 3
        '  capabilities = ["pull", "Resolve"]',
        '  ca = "z.crt"',
        '  skip_verify = true',
        '  dial_timeout = "1m30s"',
        '  [host."https://z.example:8443/hub".header]', // 8
        '    x-token = "one"',
        '    x-many = ["a", "b"]',
        '[host."http://a.example/api/v2/project"]', // 11
        '  override_path = true',
        '  client = [["/certs/a.cert", "a.key"], ["both.pem", ""]]',
      ].join('\n'),
    );
    const { registryRules, warnings } = await load();
    assert.deepEqual(warnings, []);
    const at = (line: number) => ({ kind: 'file', name: file, line });
    const directory = join(home, system, 'docker.io');
    const all = { references: 'all', pull: true, resolve: true, push: true };
    assert.deepEqual(registryRules, [
      {
        prefix: 'docker.io',
        origin: { kind: 'file', name: file },
        blocked: false,
        hostOnly: true,
        mirrors: [
          {
            ...all,
            origin: at(3),
            scheme: 'https',
            host: 'z.example:8443',
            path: '/hub/',
            overridePath: false,
            insecure: true,
            push: false,
            namespaceQuery: true,
            ca: [join(directory, 'z.crt')],
            clients: [],
            headers: { 'x-token': 'one', 'x-many': 'a, b' },
            connectTimeoutMs: 90_000,
          },
          {
            ...all,
            origin: at(11),
            scheme: 'http',
            host: 'a.example',
            path: '/api/v2/project/',
            overridePath: true,
            insecure: false,
            namespaceQuery: true,
            ca: [],
            clients: [
              { cert: '/certs/a.cert', key: join(directory, 'a.key') },
              { cert: join(directory, 'both.pem'), key: join(directory, 'both.pem') },
            ],
            headers: {},
          },
        ],
        server: {
          ...all,
          origin: at(1),
          scheme: 'https',
          host: 'registry-1.docker.io',
          path: '/',
          overridePath: false,
          insecure: false,
          namespaceQuery: false,
          ca: [],
          clients: [],
          headers: {},
        },
      },
    ]);
  });

  const rows = [
    ['server = "https://h.example"', 'h.example', ['https://h.example/v2/ pull+resolve+push']],
    ['server = "h.example"', 'h.example', ['https://h.example/v2/ pull+resolve+push']],
    ['server = "https://h.example/v2/"', 'h.example', ['https://h.example/v2/ pull+resolve+push']],
    ['server = "https://h.example/a//b"', 'h.example', ['https://h.example/a/b/v2/ pull+resolve+push']],
    ['server = "https://h.example/v2"\noverride_path = true', 'h.example', ['https://h.example/v2/ pull+resolve+push']],
    ['server = "https://other.example"', 'h.example', ['https://other.example/v2/ pull+resolve+push ns']],
    ['server = "HTTP://h.example:80"', 'h.example', ['http://h.example:80/v2/ pull+resolve+push ns']],
    ['server = ""\nskip_verify = true', 'h.example', ['https:///v2/ pull+resolve+push insecure']],
    ['skip_verify = true\ncapabilities = ["pull"]', 'h.example', ['https:///v2/ pull+resolve+push insecure']],
    ['capabilities = ["pull"]', 'h.example', []],
    ['[host."https://m.example"]', 'h.example', ['https://m.example/v2/ pull+resolve+push ns']],
    ['[host."m.example:5000"]\ncapabilities = ["push"]', 'h.example', ['https://m.example:5000/v2/ push ns']],
    [
      '[host."https://b.example"]\n[host."https://a.example"]',
      'h.example',
      ['https://b.example/v2/ pull+resolve+push ns', 'https://a.example/v2/ pull+resolve+push ns'],
    ],
    [
      '[host]\n"https://m.example" = { skip_verify = true }',
      'h.example',
      ['https://m.example/v2/ pull+resolve+push insecure ns'],
    ],
    ['future = { key = 1 }', 'h.example', []],
  ] as const;
  for (const [text, host, expected] of rows) {
    it(`${JSON.stringify(text)} for ${host} is ${expected.join(', ') || 'nothing'}`, async (t) => {
      const { load, write } = await world(t);
      await write(`${system}/${host}/hosts.toml`, text);
      const { registryRules } = await load();
      const [rule] = registryRules;
      assert.ok(rule);
      const shown = [...rule.mirrors, ...(rule.server ? [rule.server] : [])].map(show);
      assert.deepEqual(shown, expected);
    });
  }

  const faults = [
    ['[host."https://m"', /hosts\.toml:1:\d+: not valid TOML/],
    ['server = 3', /hosts\.toml:1: "server" must be a string/],
    ['server = "ftp://h"', /hosts\.toml:1: "ftp:\/\/h" is not the address of a registry: unsupported scheme "ftp"/],
    ['server = "https://u:secret@h"', /"https:\/\/…@h" is not the address of a registry: it has a user name/],
    ['server = "https://h?token=secret"', /:1: "https:\/\/h" is not the address of a registry: it has a query/],
    ['\n[host."https://"]', /hosts\.toml:2: "https:\/\/" is not the address of a registry: it has no valid host/],
    ['[host."https://m"]\nskip_verify = "yes"', /:2: "host\.https:\/\/m\.skip_verify" must be true or false/],
    ['[host."https://m"]\nca = 3', /:2: "host\.https:\/\/m\.ca" must be a list of strings/],
    ['[host."https://m"]\nclient = 3', /:2: "host\.https:\/\/m\.client" must be a file, a list of files/],
    ['[host."https://m"]\nclient = [["a", "b", "c"]]', /:2: .* must be a list of files, or of pairs/],
    ['[host."https://m"]\ndial_timeout = "soon"', /:2: "soon" is not a duration/],
    ['[host."https://m"]\n[host."https://m".header]\n"a b" = "x"', /:3: "header\.a b" is not a valid header/],
    ['[host."https://m".header]\na = "secret\\r\\nb: c"', /:2: "header\.a" is not a valid header$/],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the file and the line`, async (t) => {
      const { load, write } = await world(t);
      await write(`${system}/h/hosts.toml`, text);
      await assert.rejects(load(), configError(message));
    });
  }

  it('with a capability that is not known is read with a warning', async (t) => {
    const { load, write } = await world(t);
    await write(`${system}/h/hosts.toml`, '[host."https://m"]\ncapabilities = ["pull", "fly", "referrers"]');
    const { registryRules, warnings } = await load();
    assert.equal(registryRules[0]?.mirrors.map(show).join(), 'https://m/v2/ pull ns');
    assert.match(warnings.join(), /hosts\.toml:2: the capability fly is not known and was ignored/);
  });
});

describe("containerd's directories", () => {
  it('are named host, host:port or host_port_; _default holds for hosts without one', async (t) => {
    const { load, write, home } = await world(t);
    const mirror = (name: string) => `[host."https://${name}"]`;
    await write(`${system}/_default/hosts.toml`, mirror('d'));
    await write(`${system}/a.example/hosts.toml`, mirror('a'));
    await write(`${system}/a.example:5000/hosts.toml`, mirror('never'));
    await write(`${system}/a.example_5000_/hosts.toml`, mirror('a5000'));
    await write(`${system}/b.example:5000/hosts.toml`, mirror('b5000'));
    await write(`${system}/README`, 'no directory');
    await mkdir(join(home, system, 'bare.example'));
    const { registryRules } = await load();
    const mirrorsOf = (host: string) =>
      matchRegistryRule(registryRules, host, 'x')
        ?.mirrors.map(({ host }) => host)
        .join();
    assert.equal(mirrorsOf('a.example'), 'a');
    assert.equal(mirrorsOf('a.example:5000'), 'a5000');
    assert.equal(mirrorsOf('b.example:5000'), 'b5000');
    assert.equal(mirrorsOf('b.example'), 'd');
    assert.equal(mirrorsOf('README'), 'd');
    assert.equal(mirrorsOf('bare.example'), '', 'a directory without hosts.toml is one nevertheless');
  });

  it('without hosts.toml hold certificates as Docker keeps them', async (t) => {
    const { load, write, home } = await world(t);
    for (const name of ['ca.crt', 'client.cert', 'client.key', 'both.cert', 'notes']) {
      await write(`${system}/h.example/${name}`, '');
    }
    await write(`${system}/h.example/hosts.toml`, '# nothing\n');
    const directory = join(home, system, 'h.example');
    const { registryRules } = await load();
    assert.deepEqual(registryRules[0]?.server?.ca, [join(directory, 'ca.crt')]);
    assert.deepEqual(registryRules[0]?.server?.clients, [
      { cert: join(directory, 'both.cert'), key: join(directory, 'both.cert') },
      { cert: join(directory, 'client.cert'), key: join(directory, 'client.key') },
    ]);
    assert.equal(registryRules[0]?.server?.host, undefined);
  });

  it("are the rootless user's, then the system's; OCICTL_HOSTS_DIR stands for both and must be there", async (t) => {
    const { load, write, home } = await world(t);
    await write(`${system}/h/hosts.toml`, '[host."https://system"]');
    await write(`${system}/i/hosts.toml`, '[host."https://system"]');
    await write(`${user}/h/hosts.toml`, '[host."https://user"]');
    await write('mine/h/hosts.toml', '[host."https://mine"]');
    const mirrors = async (env: NodeJS.ProcessEnv = {}) =>
      Object.fromEntries((await load({ env })).registryRules.map(({ prefix, mirrors }) => [prefix, mirrors[0]?.host]));
    assert.deepEqual(await mirrors(), { h: 'user', i: 'system' });
    assert.deepEqual(await mirrors({ OCICTL_HOSTS_DIR: join(home, 'mine') }), { h: 'mine' });
    await assert.rejects(
      mirrors({ OCICTL_HOSTS_DIR: join(home, 'gone') }),
      configError(/^OCICTL_HOSTS_DIR names .*gone, which does not exist/),
    );
  });

  it('come behind registries.conf where both have a rule for the same prefix', async (t) => {
    const { load, write } = await world(t);
    await write(`${system}/h/hosts.toml`, '[host."https://containerd"]');
    await write(
      'etc/containers/registries.conf',
      '[[registry]]\nlocation="h"\n[[registry.mirror]]\nlocation="containers"',
    );
    const { registryRules } = await load();
    assert.deepEqual(
      registryRules.map(({ prefix, mirrors }) => [prefix, mirrors[0]?.host]),
      [['h', 'containers']],
    );
  });
});
