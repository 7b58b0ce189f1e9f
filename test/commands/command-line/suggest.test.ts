import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandTable, loadCommands } from '../../../src/commands/command-line/all-commands.ts';
import { namesImage, readFlags } from '../../../src/commands/command-line/command.ts';
import { familyTable } from '../../../src/commands/command-line/families.ts';
import { globalOptions } from '../../../src/commands/command-line/global-options.ts';
import { commandUsage, paragraphsOf } from '../../../src/commands/command-line/help.ts';
import { otherCommands } from '../../../src/commands/command-line/other-commands.ts';
import { otherOptions } from '../../../src/commands/command-line/other-options.ts';
import { suggestAction, suggestCommand, suggestOption } from '../../../src/commands/command-line/suggest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { ocictl } from '../../support/command.ts';
import { accept } from '../../support/network/accept.ts';
import { sandbox } from '../../support/sandbox.ts';

const named = commandTable.flatMap(({ name, aliases = [], hidden }) => (hidden ? [] : [name, ...aliases]));
const known = [...named.filter((name) => !name.includes(' ')), ...familyTable.map(({ name }) => name)];
/** `blob get -o` is the command `blob get`, and so is `blob`. */
const isCommand = (words: readonly string[]): boolean =>
  named.includes(words.slice(0, 2).join(' ')) || (words.length === 1 && known.includes(words[0] ?? ''));

/** As their documents list them; those that have the same name and meaning here are left out. */
const theirs: Readonly<Record<string, string>> = {
  // https://github.com/google/go-containerregistry/tree/main/cmd/crane/doc
  crane:
    'annotate, append, auth get, auth login, auth logout, blob, catalog, cp, export, flatten, index, index append, index filter, index list, ls, manifest, mutate, rebase, registry, registry serve, squash, validate',
  skopeo: 'layers, list-tags, manifest-digest, standalone-sign, standalone-verify, sync',
  // https://oras.land/docs/category/oras-commands
  oras: 'attach, backup, blob fetch, blob push, blob delete, cp, discover, manifest delete, manifest fetch, manifest fetch-config, manifest push, manifest index create, repo ls, repo tags, resolve, restore',
  // https://github.com/regclient/regclient/tree/main/cmd/regctl
  regctl:
    'artifact get, artifact list, artifact put, artifact tree, blob copy, blob delete, blob get, blob get-file, blob head, blob put, config get, config set, image check-base, image copy, image create, image delete, image digest, image export, image get-file, image import, image inspect, image manifest, image mod, image ratelimit, index add, index create, index delete, manifest delete, manifest diff, manifest get, manifest head, manifest put, ref, registry config, registry login, registry logout, registry set, registry whoami, repo copy, repo ls, tag delete, tag ls',
  // https://github.com/sigstore/cosign/tree/main/doc
  cosign:
    'attach, attest, attest-blob, bundle, clean, dockerfile, download, env, generate, generate-key-pair, import-key-pair, initialize, load, manifest, piv-tool, pkcs11-tool, policy, public-key, save, sign, sign-blob, signing-config, tree, triangulate, trusted-root, upload, verify, verify-attestation, verify-blob, verify-blob-attestation',
  docker:
    'attach, build, builder, buildx, commit, compose, container, cp, create, diff, events, exec, export, history, image build, image history, image import, image inspect, image load, image ls, image prune, image pull, image push, image rm, image save, image tag, import, info, kill, load, logs, manifest, network, pause, plugin, port, ps, rename, restart, rm, run, save, secret, service, stack, start, stats, stop, swarm, system, top, trust, unpause, update, volume, wait',
  podman:
    'cp, farm, healthcheck, image mount, image tree, image untag, kube, machine, mount, pod, rmi, system df, tree, unmount, untag',
};

describe('a command of another program', () => {
  for (const [program, list] of Object.entries(theirs)) {
    it(`is named as it is called here: ${program}`, () => {
      for (const words of list.split(', ').map((text) => text.split(' '))) {
        if (isCommand(words)) continue;
        const hint = known.includes(words[0] ?? '') ? suggestAction(words, known) : suggestCommand(words, known);
        assert.ok(hint, `${program} ${words.join(' ')}`);
      }
    });
  }

  it('leads to commands and options that there are', async () => {
    const commands = await loadCommands();
    const prose = ['moves', 'neither', 'does', 'asks'];
    const optionsOf = (name: string) => {
      const own = commands.find((command) => [command.name, ...(command.aliases ?? [])].includes(name))?.options ?? {};
      return [...Object.values(own), ...Object.values(globalOptions)].map(({ flags }) => readFlags(flags).long);
    };
    const hints = [
      ...[...otherCommands.keys()].map((words) => suggestCommand(words.split(' '), known) ?? ''),
      ...[...otherOptions.keys()].map((option) => suggestOption(option, []) ?? ''),
    ];
    for (const hint of hints) {
      const named = [
        ...hint.matchAll(/ocictl ([a-z-]+)((?: --?[a-z-]+)*)/g),
        ...hint.matchAll(/did you mean ([a-z][a-z-]*)()/g),
      ];
      for (const [, name = '', options = ''] of named) {
        if (prose.includes(name)) continue;
        assert.ok(known.includes(name), hint);
        for (const option of options.match(/--[a-z-]+/g) ?? []) assert.ok(optionsOf(name).includes(option), hint);
      }
    }
  });

  it('is no command here', () => {
    const stale = [...otherCommands.keys()].filter((words) => isCommand(words.split(' ')));
    assert.deepEqual(stale, [], 'a command that came needs no hint for its name');
  });

  it('gets the hint of a command that came later', () => {
    assert.equal(suggestCommand(['crane'], known), undefined);
    assert.match(suggestCommand(['annotate'], ['pull']) ?? '', /changes none$/);
    assert.match(
      suggestCommand(['sign-blob'], ['pull', 'sign']) ?? '',
      /^ocictl sign, ocictl attest and ocictl verify/,
    );
    assert.match(suggestOption('--dest-compress', ['--json']) ?? '', /as they are, so that digests stay/);
    assert.match(suggestOption('--dest-compress', ['--compress']) ?? '', /did you mean --compress\?/);
  });

  it('is recognised if its word is also a command or an image here', async () => {
    for (const [words, said] of [
      [['auth', 'login', '-u', 'ada', '-p', 'secret', 'r.example'], /ocictl login HOST logs in/],
      [['auth', 'login', 'r.example'], /ocictl login HOST logs in/],
      [['image', 'rm', 'app'], /ocictl rmi removes from the local store/],
      [['image', '-q', 'ls'], /did you mean images\?/],
      [['copy', '--creds', 'a:b', 'x', 'y'], /did you mean --src-creds or --dest-creds\?/],
      [['copy', '--dest-compress', 'x', 'y'], /did you mean --compress\?/],
      [['pull', '-p', 'secret', 'x'], /did you mean --creds USER:PASSWORD\?/],
    ] as const) {
      await assert
        .rejects(accept(words), (error) => {
          assert.ok(isOciError(error, 'USAGE'), String(error));
          assert.match(`${error.hint}`, said);
          assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
          return true;
        })
        .catch((error: unknown) => {
          // `auth login HOST` is refused when it runs.
          if (!(error instanceof Error && /Missing expected rejection/.test(error.message) && words.length === 3))
            throw error;
        });
    }
  });

  it('is recognised when it runs, if its words could be right', async (t) => {
    for (const [words, said] of [
      [['auth', 'login', 'r.example'], /ocictl login HOST logs in/],
      [['tag', 'ls', 'r.example/app'], /did you mean tags\?/],
      [['config', 'get', 'x'], /usage: ocictl config|ocictl config show prints every setting/],
      [['config', 'alpine:3'], /ocictl inspect --config alpine:3 prints the config of an image/],
      [['copy', 'ocidir://x', 'oci:y'], /a layout is written oci:x/],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.notEqual(exitCode, 0, words.join(' '));
      assert.match(stderr, said);
    }
  });
});

/** From `docker COMMAND --help`, version 29, with a value where one is needed. */
const dockersOptions: Readonly<Record<string, string>> = {
  images: '-a, --all, --digests, -f reference=x, --filter reference=x, --format json, --no-trunc, -q, --quiet, --tree',
  rmi: '-f, --force, --no-prune, --platform linux/amd64',
  search: '-f is-official=true, --filter stars=1, --format json, --limit 3, --no-trunc, --automated, --stars 3',
  login: '-p x, --password x, --password-stdin, -u x, --username x',
  inspect: '-f json, --format json, -s, --size, --type image',
  pull: '-a, --all-tags, --disable-content-trust, --platform linux/amd64, -q, --quiet',
  push: '-a, --all-tags, --disable-content-trust, --platform linux/amd64, -q, --quiet',
};

describe("docker's options", () => {
  for (const [name, list] of Object.entries(dockersOptions)) {
    it(`of ${name} are accepted, or have a hint of their own`, async () => {
      const command = (await loadCommands()).find((each) => each.name === name) ?? assert.fail();
      const all = [...Object.values(command.options), ...Object.values(globalOptions)];
      const ours = all.flatMap(({ flags }) => [readFlags(flags).long, readFlags(flags).short ?? []].flat());
      for (const option of list.split(', ')) {
        const [word = ''] = option.split(' ');
        if (ours.includes(word)) continue;
        const hint = suggestOption(word, ours) ?? assert.fail(`${name} ${word} has no hint`);
        assert.doesNotMatch(hint, /--help/);
      }
    });
  }

  it('show the images of the store as without them: images -a, -aq', async (t) => {
    for (const words of [['-a'], ['--all'], ['-aq']]) {
      const { exitCode, stdout } = await ocictl(t, ['images', ...words]);
      const plain = await ocictl(t, ['images', ...(words[0] === '-aq' ? ['-q'] : [])]);
      assert.deepEqual([exitCode, stdout], [0, plain.stdout]);
    }
  });
});

describe('a command without its argument', () => {
  it('names the choices', async (t) => {
    for (const [name, choices] of [
      ['config', 'show, path'],
      ['completion', 'bash, zsh, fish'],
      ['auth', 'token'],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, [name]);
      assert.equal(exitCode, 2);
      assert.match(stderr, new RegExp(`^hint: choose ${choices}; usage: ocictl ${name} `, 'm'));
    }
  });
});

describe('docker://REF', () => {
  it('is REF wherever an image is named', async (t) => {
    const commands = (await loadCommands()).filter(({ arguments: list }) => namesImage(list[0]));
    assert.ok(commands.length > 8);
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1' };
    for (const { name, arguments: list } of commands) {
      const plain = list.map(({ choices }, at) => choices?.[0] ?? `r${at}.example/app:1`);
      const run = async (prefix: string) => {
        const words = plain.map((word, at) => (namesImage(list[at]) ? `${prefix}${word}` : word));
        return ocictl(t, [name, ...words], { env });
      };
      const [expected, found] = [await run(''), await run('docker://')];
      assert.deepEqual([found.exitCode, found.stderr], [expected.exitCode, expected.stderr], name);
    }
    const { stderr } = await ocictl(t, ['digest', '-'], { env, input: 'docker://r.example/app:1\n' });
    assert.equal(stderr, (await ocictl(t, ['digest', 'r.example/app:1'], { env })).stderr);
  });
});

describe('--config of a command', () => {
  it('hides the global one, and help says where that is written', async () => {
    for (const command of await loadCommands()) {
      const hidden = Object.values(command.options).some(({ flags }) => readFlags(flags).long === '--config');
      if (!hidden) continue;
      const text = paragraphsOf(command.description).join('\n');
      assert.ok(text.includes(`ocictl --config DIR ${command.name}`), commandUsage(command));
    }
  });

  it('of serve is a directory that is there: status 2', async (t) => {
    const { home } = await sandbox(t);
    for (const [path, said] of [
      ['nothing.yml', /--config: there is no directory nothing\.yml\nhint: serve takes its settings as options/],
      [process.execPath, /--config: \S+ is a file, not a directory\nhint: serve takes its settings as options/],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', '--config', path], {
        cwd: home,
      });
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, said);
    }
  });
});
