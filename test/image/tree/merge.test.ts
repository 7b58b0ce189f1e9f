import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { impliedDirectory, type LayerEntry } from '../../../src/image/layers/layer-entry.ts';
import type { EntryType } from '../../../src/image/tar/entry.ts';
import { lookUp } from '../../../src/image/tree/lookup.ts';
import { FileTree } from '../../../src/image/tree/merge.ts';
import { pathOf } from '../../../src/image/tree/node.ts';
import { walk } from '../../../src/image/tree/walk.ts';

/** `d/` is a directory, `f=x` a file, `l->t` a symbolic link, `h=>t` a hard link. */
function layerOf(words: string): LayerEntry[] {
  return words.split(' ').map((word, position) => {
    const [, path = '', mark = '', rest = ''] = /^(.*?)(?:(=>|->|=)(.*))?$/.exec(word) ?? [];
    const types: Readonly<Record<string, EntryType>> = { '=>': 'link', '->': 'symlink', '=': 'file' };
    const type = types[mark] ?? (path.endsWith('/') ? 'directory' : 'file');
    // The text of a file is its size, so that the test sees which one it is.
    const size = type === 'file' ? Number(rest || 0) : 0;
    return { ...impliedDirectory, path, type, position, size, linkname: type === 'file' ? '' : rest, uid: position };
  });
}

function merged(...layers: string[]): { readonly tree: FileTree; readonly skipped: string[] } {
  const skipped: string[] = [];
  const tree = new FileTree({ onSkip: (text) => skipped.push(text) });
  for (const [layer, words] of layers.entries()) tree.add(layerOf(words), layer);
  return { tree, skipped };
}

function shown({ root }: FileTree): string {
  return [...walk(root, { deep: true })]
    .map(({ path, node: { inode, children } }) => {
      const { type, size, linkname } = inode.entry;
      if (children) return `${path}/`;
      return type === 'symlink' ? `${path}->${linkname}` : type === 'link' ? `${path}=>${linkname}` : `${path}=${size}`;
    })
    .join(' ');
}

const cases: Readonly<Record<string, readonly [layers: readonly string[], expected: string]>> = {
  'a whiteout hides a file below': [['a=1 b=2', '.wh.a'], 'b=2'],
  'a whiteout hides a directory with all in it': [['d/ d/a=1 d/e/ d/e/f=1', '.wh.d'], ''],
  'a whiteout leaves what its own layer adds, before it': [['f=1', 'f=2 .wh.f'], 'f=2'],
  'and after it': [['f=1', '.wh.f f=2'], 'f=2'],
  'a directory that a layer replaces has nothing of the old one': [['d/ d/old=1', '.wh.d d/ d/new=2'], 'd/ d/new=2'],
  'in any order': [['d/ d/old=1', 'd/ d/new=2 .wh.d'], 'd/ d/new=2'],
  'an opaque directory hides all below': [['d/ d/a=1 d/e/ d/e/f=1', 'd/ d/.wh..wh..opq d/b=2'], 'd/ d/b=2'],
  'an opaque mark counts wherever it is in its layer': [['d/ d/a=1', 'd/b=2 d/ d/.wh..wh..opq'], 'd/ d/b=2'],
  'an opaque mark of the root': [['a=1 d/', '.wh..wh..opq b=2'], 'b=2'],
  'an opaque mark of a directory that is not there': [['a=1', 'd/.wh..wh..opq'], 'a=1'],
  'a whiteout of what is not there': [['a=1', '.wh.b d/.wh.c'], 'a=1'],
  'other files of aufs are none': [['a=1', '.wh..wh.plnk/ .wh..wh.aufs'], 'a=1'],
  'a whiteout through a link': [['usr/ usr/lib/ usr/lib/a=1 lib->usr/lib', 'lib/.wh.a'], 'lib->usr/lib usr/ usr/lib/'],
  'a file over a directory': [['d/ d/a=1', 'd=2'], 'd=2'],
  'a directory over a file': [['d=1', 'd/ d/a=2'], 'd/ d/a=2'],
  'a directory over a directory keeps what is in it': [['d/ d/a=1', 'd/ d/b=2'], 'd/ d/a=1 d/b=2'],
  'a directory over a link replaces it': [['e/ d->e', 'd/ d/a=1'], 'd/ d/a=1 e/'],
  'a link over a directory': [['d/ d/a=1', 'd->e'], 'd->e'],
  'a file in a file makes it a directory': [['d=1', 'd/a=2'], 'd/ d/a=2'],
  'names of all forms are one': [['./a=1 /b=2 d//e/./f=3 d/../g=4', '/a=5'], 'a=5 b=2 d/ d/e/ d/e/f=3 g=4'],
  'directories that no layer names': [['a/b/c=1'], 'a/ a/b/ a/b/c=1'],
  'the last of one name wins': [['a=1 a=2 d=1 d/ d/x=1 d=3'], 'a=2 d=3'],
  'an entry through a link goes where it leads': [
    ['usr/lib/ lib->usr/lib', 'lib/a=1'],
    'lib->usr/lib usr/ usr/lib/ usr/lib/a=1',
  ],
  'an absolute link begins at the root': [
    ['usr/lib/ lib->/usr/lib', 'lib/a=1'],
    'lib->/usr/lib usr/ usr/lib/ usr/lib/a=1',
  ],
  'a link out of the image stays in it': [['x->../../y y/', 'x/a=1'], 'x->../../y y/ y/a=1'],
  'a link to nothing': [['x->y', 'x/a=1'], 'x->y y/ y/a=1'],
  'a hard link keeps the old bytes when its file is replaced': [['a=1 b=>a', 'a=2'], 'a=2 b=1'],
  'and when it is deleted': [['a=1 b=>a', '.wh.a'], 'b=1'],
  'a hard link into a lower layer': [['a=1', 'b=>a'], 'a=1 b=1'],
  'a hard link to a file that its layer hides dangles': [['a=1', '.wh.a b=>a'], 'b=>a'],
  'a hard link before its file': [['b=>a a=1'], 'a=1 b=1'],
  'a hard link to itself': [['a=1', 'a=>a'], 'a=1'],
  'a hard link to a hard link': [['a=1 b=>a c=>b', '.wh.a .wh.b'], 'c=1'],
  'a hard link to a symbolic link': [['a->x b=>a'], 'a->x b->x'],
  'a hard link by another form of the name': [['d/ d/a=1 b=>./d//a'], 'b=1 d/ d/a=1'],
  'names that only look like whiteouts': [['a.wh.b=1 .wha=2'], '.wha=2 a.wh.b=1'],
};

describe('layers on each other', () => {
  for (const [name, [layers, expected]] of Object.entries(cases)) {
    it(name, () => assert.equal(shown(merged(...layers).tree), expected));
  }

  it('leave out what leads out of the image, with word', () => {
    const { tree, skipped } = merged('a=1 ../x=1 d/../../y=1 l=>../a s->s s/x=1');
    assert.equal(shown(tree), 'a=1 s->s');
    assert.deepEqual(
      skipped.map((text) => /"[^"]*"/.exec(text)?.[0]),
      ['"../x"', '"d/../../y"', '"l"', '"s/x"'],
    );
  });

  it('refuse a whiteout without a name, and directories without end', () => {
    assert.throws(() => merged('a=1', 'd/.wh.'), { code: 'ARCHIVE_INVALID' });
    assert.throws(() => merged('d/'.repeat(3000)), { code: 'TOO_LARGE' });
  });

  it('give a file the owner of its last hard link, for all its names', () => {
    const { root } = merged('a=1 b=>a').tree;
    const owners = ['a', 'b'].map((path) => {
      const found = lookUp(root, path, { follow: true });
      return found.kind === 'found' && found.node.inode.entry.uid;
    });
    assert.deepEqual(owners, [1, 1]);
  });
});

describe('a path in an image', () => {
  const { root } = merged(
    'usr/ usr/bin/ usr/bin/sh=1 bin->usr/bin abs->/usr/bin/sh rel->../../usr/bin/../bin/sh a->b b->a deep->d1 d1->d2 d2->usr',
  ).tree;
  const paths: Readonly<Record<string, string>> = {
    '/usr/bin/sh': 'usr/bin/sh',
    'bin/sh': 'usr/bin/sh',
    './bin/../bin/sh': 'usr/bin/sh',
    '/../../usr': 'usr',
    abs: 'usr/bin/sh',
    rel: 'usr/bin/sh',
    'deep/bin/sh': 'usr/bin/sh',
    '': '',
    '/': '',
    'bin/..': 'usr',
  };
  for (const [path, expected] of Object.entries(paths)) {
    it(`${path || 'an empty one'} is followed inside it`, () => {
      const found = lookUp(root, path, { follow: true });
      assert.equal(found.kind === 'found' && pathOf(found.node), expected);
    });
  }

  it('is not there, leads through a file, or in a circle', () => {
    const kinds = ['x', 'usr/bin/sh/x', 'a', 'a/x'].map((path) => lookUp(root, path, { follow: true }).kind);
    assert.deepEqual(kinds, ['missing', 'not-directory', 'circle', 'circle']);
  });

  it('may be a link itself', () => {
    const found = lookUp(root, 'bin', { follow: false });
    assert.equal(found.kind === 'found' && found.node.inode.entry.type, 'symlink');
  });
});
