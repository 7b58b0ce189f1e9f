import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { daemonJsonFiles } from '../../src/config/paths.ts';
import { isOciError } from '../../src/model/errors.ts';
import { world } from './world.ts';

describe('settings without any file', () => {
  it('are the defaults', async (t) => {
    const settings = await (await world(t)).load();
    assert.deepEqual(settings.registryMirrors, []);
    assert.deepEqual(settings.insecureRegistries, []);
    assert.equal(settings.maxConcurrentDownloads.value, 4);
    assert.equal(settings.maxConcurrentUploads.value, 4);
    assert.equal(settings.maxDownloadAttempts.value, 5);
    assert.equal(settings.defaultPlatform, undefined);
    assert.equal(settings.dockerAuthConfig, undefined);
    assert.deepEqual(settings.warnings, []);
  });
});

describe('the local store', () => {
  it('is the flag, OCICTL_ROOT, XDG_DATA_HOME, ~/.local/share, in this order', async (t) => {
    const { load, home } = await world(t);
    const env: NodeJS.ProcessEnv = { OCICTL_ROOT: '/root-dir', XDG_DATA_HOME: '/data' };
    const root = async (options: Parameters<typeof load>[0]) => (await load(options)).storeRoot;
    assert.deepEqual(await root({ env, flags: { storeRoot: '/flag' } }), {
      value: '/flag',
      origin: { kind: 'flag', name: '--root' },
    });
    assert.deepEqual(await root({ env }), {
      value: '/root-dir',
      origin: { kind: 'environment', name: 'OCICTL_ROOT' },
    });
    assert.equal((await root({ env: { ...env, OCICTL_ROOT: '' } }))?.value, '/data/ocictl');
    assert.equal((await root({ env: { XDG_DATA_HOME: 'relative' } }))?.value, join(home, '.local/share/ocictl'));
    assert.equal((await root({}))?.value, join(home, '.local/share/ocictl'));
  });
});

describe('daemon.json', () => {
  it('gives mirrors, insecure registries and limits, each with its line', async (t) => {
    const { load, write } = await world(t);
    const file = await write(
      'daemon.json',
      [
        '{',
        '  "registry-mirrors": [',
        '    "https://one",',
        '    "https://two/"',
        '  ],',
        '  "insecure-registries": ["10.1.2.3/8", "http://plain:5000"],',
        '  "max-concurrent-downloads": 7,',
        '  "max-concurrent-uploads": 0,',
        '  "max-download-attempts": 2,',
        '  "allow-nondistributable-artifacts": ["artifacts.example.com"],',
        '  "storage-driver": {"not": "ours"}',
        '}',
      ].join('\n'),
    );
    const settings = await load({ env: { OCICTL_DAEMON_JSON: file } });
    assert.deepEqual(settings.registryMirrors, [
      { value: 'https://one/', origin: { kind: 'file', name: file, line: 3 } },
      { value: 'https://two/', origin: { kind: 'file', name: file, line: 4 } },
    ]);
    assert.deepEqual(
      settings.insecureRegistries.map((rule) => (rule.kind === 'host' ? rule.key : rule.network.text)),
      ['10.0.0.0/8', 'plain:5000'],
    );
    assert.deepEqual(settings.maxConcurrentDownloads, { value: 7, origin: { kind: 'file', name: file, line: 7 } });
    assert.equal(settings.maxConcurrentUploads.value, 4, '0 stands for the default');
    assert.equal(settings.maxDownloadAttempts.value, 2);
    assert.equal(settings.allowNondistributableArtifacts.length, 1);
    assert.match(settings.warnings.join(), /daemon\.json:6: .*http:\/\/plain:5000/);
  });

  it('is looked for where Docker keeps it', () => {
    const where = { env: {}, homedir: '/home/ada' };
    assert.deepEqual(daemonJsonFiles({ ...where, platform: 'linux', uid: 0 }), ['/etc/docker/daemon.json']);
    assert.deepEqual(daemonJsonFiles({ ...where, platform: 'linux', uid: 1000 }), [
      '/home/ada/.config/docker/daemon.json',
      '/etc/docker/daemon.json',
    ]);
    assert.deepEqual(daemonJsonFiles({ ...where, platform: 'darwin', uid: 501 })[0], '/home/ada/.docker/daemon.json');
    assert.deepEqual(
      daemonJsonFiles({ env: { ProgramData: 'D:\\Data' }, homedir: 'x', platform: 'win32', uid: undefined })[1],
      'D:\\Data\\docker\\config\\daemon.json',
    );
  });

  it('of a rootless Docker is read from the home directory', async (t) => {
    const { load, write } = await world(t);
    const file = await write('.config/docker/daemon.json', '{"registry-mirrors": ["https://mine"]}');
    const { registryMirrors } = await load({ env: { OCICTL_DAEMON_JSON: '' } });
    assert.deepEqual(registryMirrors[0], { value: 'https://mine/', origin: { kind: 'file', name: file, line: 1 } });
  });

  it('adds to the flags, which come first', async (t) => {
    const { load, write } = await world(t);
    const file = await write('daemon.json', '{"registry-mirrors": ["https://file", "https://flag"]}');
    const settings = await load({
      env: { OCICTL_DAEMON_JSON: file },
      flags: { registryMirrors: ['https://flag/'], insecureRegistries: ['plain:5000'] },
    });
    assert.deepEqual(
      settings.registryMirrors.map(({ value, origin }) => `${value} ${origin.kind}`),
      ['https://flag/ flag', 'https://file/ file'],
    );
    assert.deepEqual(settings.insecureRegistries[0]?.origin, { kind: 'flag', name: '--insecure-registry' });
  });

  it('that this user may not read is skipped with a warning, unless it was named', async (t) => {
    const { load, write, home } = await world(t);
    const file = await write('.config/docker/daemon.json', '{"registry-mirrors": ["https://mine"]}');
    await chmod(home, 0o755);
    await chmod(file, 0);
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      const settings = await load({ env: { OCICTL_DAEMON_JSON: '' } });
      assert.ok(settings.warnings.includes(`${file} was skipped: this user may not read it`));
      await assert.rejects(load({ env: { OCICTL_DAEMON_JSON: file } }), /daemon\.json cannot be read: EACCES/);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  const faults = [
    ['{"registry-mirrors": ["https://one",]}', /daemon\.json:1:37: not valid JSON/],
    ['{"registry-mirrors": "https://one"}', /daemon\.json:1: "registry-mirrors" must be a list of strings/],
    ['{\n"registry-mirrors": [\n1]}', /daemon\.json:3: "registry-mirrors\.0" must be a string/],
    ['{\n"registry-mirrors": [\n"m.example"]}', /daemon\.json:3: invalid mirror: no scheme/],
    [
      '{\n"insecure-registries": ["10.0.0.0/33"]}',
      /daemon\.json:2: invalid insecure-registries entry "10\.0\.0\.0\/33"/,
    ],
    ['{"max-concurrent-downloads": -1}', /"max-concurrent-downloads" must be a whole number of at least 0/],
    ['{"max-concurrent-downloads": "3"}', /"max-concurrent-downloads" must be a whole number/],
    ['{"max-concurrent-uploads": 1.5}', /"max-concurrent-uploads" must be a whole number/],
    ['{"max-download-attempts": 0}', /"max-download-attempts" must be a whole number of at least 1/],
    ['[]', /daemon\.json:1: the file must be a JSON object/],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the file and the line`, async (t) => {
      const { load, write } = await world(t);
      const file = await write('daemon.json', text);
      await assert.rejects(load({ env: { OCICTL_DAEMON_JSON: file } }), (error) => {
        assert.ok(isOciError(error, 'CONFIG_INVALID'));
        assert.match(error.message, message);
        return error.message.startsWith(file);
      });
    });
  }

  it('that OCICTL_DAEMON_JSON names must be there', async (t) => {
    const { load, home } = await world(t);
    await assert.rejects(
      load({ env: { OCICTL_DAEMON_JSON: join(home, 'gone.json') } }),
      (error) => isOciError(error, 'CONFIG_INVALID') && /gone\.json, which does not exist/.test(error.message),
    );
    await assert.rejects(load({ env: { OCICTL_DAEMON_JSON: home } }), /cannot be read: it is a directory/);
  });
});

describe('flags and variables', () => {
  it('name the directory of config.json: the flag, DOCKER_CONFIG, ~/.docker', async (t) => {
    const { load, write, home } = await world(t);
    for (const directory of ['flag', 'variable', '.docker']) {
      await write(join(directory, 'config.json'), JSON.stringify({ credsStore: `from-${directory}` }));
    }
    const env = { DOCKER_CONFIG: join(home, 'variable') };
    const store = async (options: Parameters<typeof load>[0]) => (await load(options)).dockerConfig.credsStore?.value;
    assert.equal(await store({ env, flags: { dockerConfigDir: join(home, 'flag') } }), 'from-flag');
    assert.equal(await store({ env }), 'from-variable');
    assert.equal(await store({}), 'from-.docker');
  });

  it('name the directory of certificates: the flag, OCICTL_CERTS_DIR, the user’s, the system’s', async (t) => {
    const { load, home } = await world(t);
    const env = { OCICTL_CERTS_DIR: '/variable' };
    const dirs = async (options: Parameters<typeof load>[0]) =>
      (await load(options)).certsDirs.map(({ value, origin }) => `${value} ${origin.kind}`);
    assert.deepEqual(await dirs({ env, flags: { certsDir: '/flag' } }), ['/flag flag']);
    assert.deepEqual(await dirs({ env }), ['/variable environment']);
    assert.deepEqual(await dirs({}), [
      `${home}/.config/docker/certs.d default`,
      `${home}/etc/docker/certs.d default`,
      `${home}/.config/containers/certs.d default`,
      `${home}/etc/containers/certs.d default`,
    ]);
  });

  it('name the platform with DOCKER_DEFAULT_PLATFORM', async (t) => {
    const { load } = await world(t);
    const { defaultPlatform } = await load({ env: { DOCKER_DEFAULT_PLATFORM: 'linux/aarch64' } });
    assert.equal(defaultPlatform?.value.architecture, 'arm64');
    await assert.rejects(
      load({ env: { DOCKER_DEFAULT_PLATFORM: 'no/such/thing/at/all' } }),
      (error) => isOciError(error, 'CONFIG_INVALID') && error.message.startsWith('DOCKER_DEFAULT_PLATFORM: '),
    );
  });

  it('give credentials with DOCKER_AUTH_CONFIG', async (t) => {
    const { load } = await world(t);
    const auth = Buffer.from('ada:secret').toString('base64');
    const { dockerAuthConfig } = await load({
      env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { h: { auth } } }) },
    });
    assert.equal(dockerAuthConfig?.[0]?.password, 'secret');
    await assert.rejects(load({ env: { DOCKER_AUTH_CONFIG: '{"auths": {"h": {"auth": "c2VjcmV0" }}' } }), (error) => {
      assert.ok(isOciError(error, 'CONFIG_INVALID'));
      assert.match(error.message, /^DOCKER_AUTH_CONFIG:1:\d+: not valid JSON/);
      return !error.message.includes('c2Vj');
    });
  });

  it('that are wrong are named', async (t) => {
    const { load } = await world(t);
    await assert.rejects(
      load({ flags: { registryMirrors: ['m.example'] } }),
      /^OciError: --registry-mirror: invalid mirror/,
    );
    await assert.rejects(
      load({ flags: { insecureRegistries: ['host:'] } }),
      /^OciError: --insecure-registry: invalid insecure-registries entry "host:"/,
    );
  });
});
