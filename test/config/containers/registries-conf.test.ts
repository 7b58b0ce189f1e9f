import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { configError, world } from '../world.ts';

const user = '.config/containers';
const system = 'etc/containers';

describe('registries.conf', () => {
  it('gives prefixes, locations and mirrors, each with file and line', async (t) => {
    const { load, write } = await world(t);
    const file = await write(
      `${system}/registries.conf`,
      [
        'unqualified-search-registries = ["example.com"]', // 1
        '',
        '[[registry]]', // 3
        'prefix = "example.com/foo"',
        'location = "internal.example.net/bar/"', // 5
        '',
        '[[registry.mirror]]', // 7
        'location = "mirror-0.local/mirror-for-foo"',
        '  [[ registry.mirror ]] # the second',
        '  location = "mirror-1.local/foo"', // 10
        '  insecure = true',
        '',
        '[[registry]]', // 13
        'location = "registry.example.org:5000"',
        'insecure = true',
        '[[registry.mirror]]', // 16
        'location = "m.example.org"',
        'pull-from-mirror = "digest-only"',
        '[registry.future]',
        'key = "not ours"',
      ].join('\n'),
    );
    const { registryRules, warnings } = await load();
    assert.deepEqual(warnings, []);
    const at = (line: number) => ({ kind: 'file', name: file, line });
    const place = {
      path: '/',
      overridePath: false,
      pull: true,
      namespaceQuery: false,
      ca: [],
      clients: [],
      headers: {},
    };
    const all = { ...place, references: 'all', resolve: true };
    assert.deepEqual(registryRules, [
      {
        prefix: 'registry.example.org:5000',
        origin: at(13),
        blocked: false,
        mirrors: [
          {
            ...place,
            origin: at(16),
            host: 'm.example.org',
            insecure: false,
            references: 'digests',
            resolve: false,
            push: false,
          },
        ],
        server: { ...all, origin: at(13), insecure: true, push: true },
      },
      {
        prefix: 'example.com/foo',
        origin: at(3),
        blocked: false,
        mirrors: [
          {
            ...all,
            origin: at(7),
            host: 'mirror-0.local',
            repositoryPrefix: 'mirror-for-foo',
            insecure: false,
            push: false,
          },
          { ...all, origin: at(9), host: 'mirror-1.local', insecure: true, push: false },
        ],
        server: {
          ...all,
          origin: at(5),
          host: 'internal.example.net',
          repositoryPrefix: 'bar',
          insecure: false,
          push: false,
        },
      },
    ]);
  });

  const rules = [
    ['[[registry]]\nlocation = "a.example"\nblocked = true', 'a.example blocked'],
    ['[[registry]]\nprefix = "a.example"\nblocked = true', 'a.example blocked'],
    ['[[registry]]\nprefix = "*.example.com"\ninsecure = true', '*.example.com server=insecure'],
    ['[[registry]]\nprefix = "*.example.com"\nlocation = "i.net/x"', '*.example.com server=i.net/x'],
    ['[[registry]]\nprefix = "a.example"\nlocation = "i.net"', 'a.example server=i.net'],
    ['[[registry]]\nprefix = "a.example/x"\nlocation = "i.net"', 'a.example/x server=i.net/'],
    [
      '[[registry]]\nlocation = "a.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m"',
      'a.example m(digests)',
    ],
    [
      '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "tag-only"',
      'a.example m(tags)',
    ],
    ['registry = [{ location = "a.example", mirror = [{ location = "m" }] }]', 'a.example m'],
    ['# [[registry]]\n\n  # location = "a.example"', ''],
    ['[aliases]\n"alpine" = "docker.io/library/alpine"', ''],
    ['[registries.search]\nregistries = ["a.example"]', ''],
    [
      '[registries.insecure]\nregistries = ["a.example"]\n[registries.block]\nregistries = ["b.example", "a.example"]',
      'a.example blocked server=insecure, b.example blocked',
    ],
    ['\ufeff[[registry]]\r\nlocation = "a.example"\r\nblocked = true\r\n', 'a.example blocked'],
  ] as const;
  for (const [text, expected] of rules) {
    it(`${JSON.stringify(text)} says: ${expected || 'nothing'}`, async (t) => {
      const { load, write } = await world(t);
      await write(`${user}/registries.conf`, text);
      const { registryRules } = await load();
      const shown = registryRules.map(({ prefix, blocked, mirrors, server }) =>
        [
          prefix,
          ...(blocked ? ['blocked'] : []),
          ...mirrors.map(({ host, references }) => (references === 'all' ? host : `${host}(${references})`)),
          ...(server
            ? [
                `server=${server.host ?? ''}${server.repositoryPrefix === undefined ? '' : `/${server.repositoryPrefix}`}${server.insecure ? 'insecure' : ''}`,
              ]
            : []),
        ].join(' '),
      );
      assert.equal(shown.join(', '), expected);
    });
  }

  const faults = [
    ['[[registry]\n', /registries\.conf:1:\d+: not valid TOML: expected end of table array/],
    ['a = 1\nb = "secret\n', /registries\.conf:2:\d+: not valid TOML: (?!.*secret)/],
    ['registry = 3', /registries\.conf:1: "registry" must be a list of objects/],
    ['\n[[registry]]\nlocation = 3', /registries\.conf:3: "registry\.0\.location" must be a string/],
    [
      '[[registry]]\nlocation = "a"\n[[registry]]\ninsecure = true',
      /:3: a \[\[registry\]\] needs a prefix or a location/,
    ],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]', /:3: a \[\[registry\.mirror\]\] needs a location/],
    ['[[registry]]\nlocation = "https://a.example"', /:2: "https:\/\/a\.example" must not have a scheme/],
    ['[[registry]]\nlocation = "https://u:secret@a.example"', /:2: "https:\/\/…@a\.example" must not/],
    ['[[registry]]\nlocation = "a b"', /:2: "a b" is not the location of a registry/],
    ['[[registry]]\nprefix = "*.example.com/foo"\nlocation = "i.net"', /a wildcard is written as \*\.example\.com/],
    ['[[registry]]\nprefix = "a.*.com"\nlocation = "i.net"', /a wildcard is written as/],
    ['[[registry]]\nlocation = "a"\nblocked = "yes"', /:3: "registry\.0\.blocked" must be true or false/],
    [
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "never"',
      /:5: "registry\.0\.mirror\.0\.pull-from-mirror" must be one of all, digest-only, tag-only/,
    ],
    [
      '[[registry]]\nlocation = "a"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m"\npull-from-mirror = "all"',
      /:6: pull-from-mirror and mirror-by-digest-only exclude each other/,
    ],
    [
      '[registries.block]\nregistries = ["a"]\n[[registry]]\nlocation = "b"',
      /versions 1 and 2 of the format are mixed/,
    ],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the file and the line`, async (t) => {
      const { load, write, home } = await world(t);
      await write(`${user}/registries.conf`, text);
      await assert.rejects(load(), configError(message));
      await assert.rejects(load(), configError(new RegExp(`^${home}/${user}/registries.conf:\\d`)));
    });
  }

  it('may say a prefix twice; the first one counts, and a warning says so', async (t) => {
    const { load, write } = await world(t);
    await write(`${user}/registries.conf`, '[[registry]]\nlocation="a"\nblocked=true\n[[registry]]\nlocation="a"');
    const { registryRules, warnings } = await load();
    assert.deepEqual(
      registryRules.map(({ blocked }) => blocked),
      [true],
    );
    assert.match(warnings.join(), /registries\.conf:4: "a" is set twice; the first one counts \(line 1\)/);
  });

  it('has no rules for single tags and digests: a warning says so', async (t) => {
    const { load, write } = await world(t);
    await write(`${user}/registries.conf`, '[[registry]]\nprefix = "a.example:5000/x:1"\nlocation = "b"');
    const { registryRules, warnings } = await load();
    assert.deepEqual(registryRules, []);
    assert.match(warnings.join(), /registries\.conf:1: the rule for a\.example:5000\/x:1 was skipped/);
  });
});

describe('several registries.conf files', () => {
  const block = (location: string) => `[[registry]]\nlocation = "${location}"\nblocked = true\n`;
  const prefixes = async ({ load }: Pick<Awaited<ReturnType<typeof world>>, 'load'>, env?: NodeJS.ProcessEnv) =>
    (await load(env && { env })).registryRules.map(({ prefix }) => prefix).sort();

  it("are the system's with its drop-ins, then the user's drop-ins, where the user has no main file", async (t) => {
    const home = await world(t);
    await home.write(`${system}/registries.conf`, block('main'));
    await home.write(`${system}/registries.conf.d/20-b.conf`, block('b') + block('main').replace('true', 'false'));
    await home.write(`${system}/registries.conf.d/10-a.conf`, block('b').replace('true', 'false'));
    await home.write(`${system}/registries.conf.d/30-c.txt`, 'not = even toml =');
    await home.write(`${user}/registries.conf.d/mine.conf`, block('mine'));
    assert.deepEqual(await prefixes(home), ['b', 'main', 'mine']);
    const { registryRules } = await home.load();
    const blocked = registryRules.filter(({ blocked }) => blocked).map(({ prefix }) => prefix);
    assert.deepEqual(blocked.sort(), ['b', 'mine'], 'a later file replaces whole rules');
  });

  it("are only the user's where the user has a main file", async (t) => {
    const home = await world(t);
    await home.write(`${system}/registries.conf`, 'not toml');
    await home.write(`${system}/registries.conf.d/a.conf`, block('a'));
    await home.write(`${user}/registries.conf`, block('own'));
    await home.write(`${user}/registries.conf.d/mine.conf`, block('mine'));
    assert.deepEqual(await prefixes(home), ['mine', 'own']);
    const { files } = await home.load();
    const states = files.filter(({ purpose }) => purpose === 'registries.conf').map(({ state }) => state);
    assert.deepEqual(states.sort(), ['read', 'read', 'read', 'unused', 'unused', 'unused']);
  });

  it('are one where CONTAINERS_REGISTRIES_CONF names it, and it must be there', async (t) => {
    const home = await world(t);
    await home.write(`${user}/registries.conf`, block('own'));
    await home.write(`${user}/registries.conf.d/mine.conf`, block('mine'));
    const named = await home.write('named.conf', block('named'));
    assert.deepEqual(await prefixes(home, { CONTAINERS_REGISTRIES_CONF: named }), ['named']);
    await assert.rejects(
      home.load({ env: { CONTAINERS_REGISTRIES_CONF: `${named}.gone` } }),
      configError(/^CONTAINERS_REGISTRIES_CONF names .*named\.conf\.gone, which does not exist/),
    );
  });

  it('may not have version 1 of the format among the drop-ins', async (t) => {
    const { load, write } = await world(t);
    await write(`${user}/registries.conf.d/old.conf`, '[registries.block]\nregistries = ["a"]');
    await assert.rejects(load(), configError(/old\.conf:1: a file in registries\.conf\.d must have version 2/));
  });

  it('are skipped with a warning where this user may not read them', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write(`${system}/registries.conf`, block('a'));
    await chmod(home, 0o755);
    await chmod(file, 0);
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      const { registryRules, warnings } = await load();
      assert.deepEqual(registryRules, []);
      assert.ok(warnings.includes(`${file} was skipped: this user may not read it`));
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});
