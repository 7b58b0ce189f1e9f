import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { atEnd, sandbox } from '../../support/sandbox.ts';
import { setUp } from './pushing.ts';

describe('ocictl push of a file', () => {
  it('says that artifact push does that', async (t) => {
    const { home } = await sandbox(t);
    await writeFile(join(home, 'report.json'), '{}');
    for (const word of ['report.json', './report.json', 'report.json:application/json']) {
      const { exitCode, stderr } = await ocictl(t, ['push', 'registry.example.com/team/app:1', word]);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /is a file: ocictl artifact push registry\.example\.com\/team\/app:1 \S+ pushes files/);
    }
    const { stderr } = await ocictl(t, ['push', 'registry.example.com/team/app:1', 'other']);
    assert.doesNotMatch(stderr, /artifact push/);
  });
});

describe('ocictl artifact push refuses', () => {
  const rows: readonly (readonly [words: readonly string[], said: RegExp])[] = [
    [['/etc/hostname'], /"\/etc\/hostname" is an absolute path/],
    [['../up.txt'], /leads out of the current directory/],
    [['hello.txt', './hello.txt:a/b'], /two files have the title "hello\.txt"/],
    [['nothing.txt'], /there is no file "nothing\.txt"/],
    [['nothing.txt:a/b'], /there is no file "nothing\.txt"/],
    [['hello.txt:plain'], /the type of hello\.txt is not a media type: "plain"/],
    [['--artifact-type', 'sbom', 'hello.txt'], /is not a media type: "sbom"/],
    [['-a', 'novalue', 'hello.txt'], /--annotation takes KEY=VALUE/],
    [['-a', 'a=1', '-a', 'a=2', 'hello.txt'], /has "a" twice/],
    [['--annotation-file', 'hello.txt', 'hello.txt'], /hello\.txt is not JSON/],
    [['--annotation-file', 'wrong.json', 'hello.txt'], /not a string: "b" of "\$manifest"/],
    [['--created', 'yesterday', 'hello.txt'], /--created takes a time/],
    [['--title', 'x', 'hello.txt'], /--title is for standard input/],
    [['--title', '../x', '-'], /leads out of the current directory/],
    [['-', '-:a/b'], /standard input can be read once/],
    [['--image-spec', 'v2', 'hello.txt'], /--image-spec is not "v2"/],
    [['--config', 'dir', 'hello.txt'], /dir is a directory/],
    [['--config', 'hello.txt', '--set-platform', 'linux/amd64'], /an artifact has one config/],
    [['pipe'], /pipe is a named pipe, which an artifact cannot hold/],
    [['dir'], /dir\/pipe is a named pipe, which an artifact cannot hold/],
    [['socks'], /socks\/s is a socket, which an artifact cannot hold/],
    [['odd'], /odd\/: the name of a file is not UTF-8/],
    [['out'], /the link out\/link leads out of its directory, to "\.\.\/hello\.txt"/],
  ];

  it('what cannot be pushed, with status 2 and before anything is sent', async (t) => {
    const { home, push, proxy, name } = await setUp(t);
    for (const directory of ['sub', 'dir', 'socks', 'odd', 'out'])
      await mkdir(join(home, directory), { recursive: true });
    await writeFile(join(home, 'up.txt'), '');
    await writeFile(join(home, 'wrong.json'), '{"$manifest":{"b":1}}');
    for (const pipe of ['pipe', 'dir/pipe']) assert.equal(spawnSync('mkfifo', [join(home, pipe)]).status, 0);
    const server = createServer().listen(join(home, 'socks', 's'));
    atEnd(t, () => server.close());
    await writeFile(Buffer.concat([Buffer.from(`${join(home, 'odd')}/`), Buffer.from([0xff, 0x41])]), '');
    await symlink('../hello.txt', join(home, 'out', 'link'));
    for (const [words, said] of rows) {
      const cwd = words[0]?.startsWith('..') ? join(home, 'sub') : home;
      const { exitCode, stdout, stderr } = await push([`${name}:1`, ...words], { input: 'hello\n', cwd });
      assert.equal(exitCode, 2, `${words.join(' ')}: ${stderr}`);
      assert.equal(stdout, '');
      assert.match(stderr, said);
    }
    assert.equal(proxy.count(/./, 'PUT') + proxy.count(/./, 'POST'), 0);
  });
});
