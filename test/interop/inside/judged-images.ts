/** Images that other programs unpack too. They have nothing below dev, etc, proc and sys, where a daemon puts files of its own. */
import { nameOf } from '../../../src/image/tar/names.ts';
import type { NewEntry } from '../../../src/image/tar/write.ts';
import type { LayerPart } from '../../support/images/tar-layer.ts';

/** Programs that do something else with an image, each with the reason, which docs/inside.md gives. */
export interface JudgedImage {
  readonly layers: readonly (readonly LayerPart[])[];
  readonly umoci?: string;
  readonly docker?: string;
  readonly crane?: string;
}

const mtime = { seconds: 1_600_000_000, nanoseconds: 0 };
const file = (path: string, content: string, more: Partial<NewEntry> = {}): LayerPart => [
  { path, type: 'file', mtime, ...more },
  content,
];
const directory = (path: string, more: Partial<NewEntry> = {}): LayerPart => [
  { path: `${path}/`, type: 'directory', mtime, ...more },
];
const symlink = (path: string, linkname: string): LayerPart => [
  { path, type: 'symlink', linkname, mode: 0o777, mtime },
];
const link = (path: string, linkname: string, more: Partial<NewEntry> = {}): LayerPart => [
  { path, type: 'link', linkname, mode: 0o644, mtime, ...more },
];
const whiteout = (path: string): LayerPart => [{ path, type: 'file', mtime }];
const bytes = (...values: number[]): string => nameOf(Buffer.from(values));

export const judgedImages: Readonly<Record<string, JudgedImage>> = {
  plain: {
    layers: [
      [directory('bin', { mode: 0o755 }), file('bin/sh', 'shell', { mode: 0o755 }), directory('tmp', { mode: 0o1777 })],
      [directory('bin', { mode: 0o755 }), file('bin/ls', 'ls', { mode: 0o4755, uid: 7, gid: 8 }), file('empty', '')],
    ],
  },
  'deep and long': {
    layers: [
      [
        ...Array.from({ length: 20 }, (_, i) =>
          directory(Array.from({ length: i + 1 }, () => 'directory-name').join('/')),
        ),
        file(`${Array.from({ length: 20 }, () => 'directory-name').join('/')}/${'f'.repeat(200)}`, 'deep'),
        symlink('long', `target/${'t'.repeat(200)}`),
      ],
    ],
  },
  'names in any encoding': {
    layers: [
      [directory('grüße'), file('grüße/日本', 'x'), file(`latin-${bytes(0xe9)}`, 'y'), symlink('s', bytes(0xff, 0xfe))],
    ],
  },
  'times, owners and attributes': {
    layers: [
      [
        file('fraction', 'x', { mtime: { seconds: 1_600_000_000, nanoseconds: 123_456_789 } }),
        file('old', 'x', { mtime: { seconds: 1, nanoseconds: 0 } }),
        file('owner', 'x', { uid: 3_000_000, gid: 4_000_000 }),
        file('attribute', 'x', { xattrs: new Map([['user.note', Buffer.from([0x61, 0xff, 0x0a, 0x3d])]]) }),
        file('capability', 'x', {
          xattrs: new Map([['security.capability', Buffer.from('AQAAAgAkAAAAAAAAAAAAAAAAAAA=', 'base64')]]),
        }),
      ],
    ],
    docker: 'its export has no attributes but security.capability',
  },
  'devices and pipes': {
    layers: [
      [
        [{ path: 'null', type: 'character', devmajor: 1, devminor: 3, mode: 0o666, mtime }],
        [{ path: 'disk', type: 'block', devmajor: 8, devminor: 1, mode: 0o660, mtime }],
        [{ path: 'pipe', type: 'fifo', mode: 0o600, mtime }],
      ],
    ],
  },
  'hard links': {
    layers: [[directory('a'), file('a/one', 'shared'), link('a/two', 'a/one'), link('three', './a/two')]],
  },
  'symbolic links': {
    layers: [
      [directory('usr'), directory('usr/lib'), symlink('lib', 'usr/lib'), symlink('absolute', '/usr/lib')],
      [
        file('lib/through', 'x'),
        file('absolute/too', 'y'),
        symlink('dangling', 'nowhere'),
        symlink('circle', 'circle'),
      ],
    ],
    docker: 'a directory that a layer adds to without naming it has the time of the pull',
    crane: 'it has an entry through a link under its own name',
  },
  'names of many forms': {
    layers: [[directory('./d'), file('./d/a', 'a'), file('/b', 'b'), file('d//c', 'c'), file('d/./e', 'e')]],
  },
  'a sparse file': {
    layers: [
      [[{ path: 'sparse', type: 'file', mtime, size: 3_000_000, sparse: [{ offset: 1_000_000, size: 5 }] }, 'bytes']],
    ],
  },
  'hostile whiteouts': {
    layers: [
      [
        ...['d', 'd/e', 'o', 'o/p', 'q'].map((path) => directory(path)),
        ...['d/old', 'd/e/old', 'o/old', 'o/p/old', 'f', 'q/keep', 'q/go'].map((path) => file(path, path)),
      ],
      [
        whiteout('.wh.d'),
        directory('d'),
        file('d/new', 'new'),
        directory('o'),
        whiteout('o/.wh..wh..opq'),
        directory('o/p'),
        file('o/p/new', 'new'),
        whiteout('.wh.f'),
        file('f', 'again'),
        directory('q'),
        whiteout('q/.wh.go'),
        whiteout('q/.wh.never'),
      ],
    ],
    crane: 'it loses what a layer adds again',
  },
  'hostile hard links': {
    layers: [
      [file('a', 'old bytes'), link('b', 'a'), link('c', 'a'), file('x', 'gone'), link('y', 'x')],
      [file('a', 'new bytes'), whiteout('.wh.x')],
      [link('d', 'b'), whiteout('.wh.c')],
      [file('b', 'newest')],
    ],
    crane: 'its hard links have the bytes of the wrong file, or of none',
  },
  'hostile replacements': {
    layers: [
      [
        directory('was-directory'),
        file('was-directory/x', 'x'),
        file('was-file', 'x'),
        symlink('was-link', 'target'),
        directory('target'),
        file('target/kept', 'x'),
        directory('both', { mode: 0o700 }),
        file('both/kept', 'x'),
      ],
      [
        file('was-directory', 'a file'),
        directory('was-file'),
        file('was-file/in', 'in'),
        directory('was-link'),
        file('was-link/new', 'new'),
        directory('both', { mode: 0o711, uid: 5 }),
        file('both/added', 'x'),
      ],
      [directory('was-directory'), file('was-directory/again', 'again'), symlink('was-file', 'both')],
    ],
    crane: 'a directory that was a file in between has its old files again',
  },
};
