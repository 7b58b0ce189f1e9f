/** Failures of looking into images and of changing them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { mediaTypes } from '../../../../src/model/manifest/media-types.ts';
import { ocictl } from '../../../support/command.ts';
import { tarLayer } from '../../../support/images/tar-layer.ts';
import { buildImage } from '../../../support/images.ts';
import { type BuiltLayer, buildBlob } from '../../../support/layer.ts';
import { writeLayout } from '../../../support/layout.ts';
import type { RunResult } from '../../../support/process.ts';
import { sandbox } from '../../../support/sandbox.ts';
import type { Tries, Try } from './tries.ts';

const layer = await tarLayer([
  [{ path: 'etc/', type: 'directory' }],
  [{ path: 'etc/hosts', type: 'file' }, 'localhost\n'],
]);

/** A layer of bytes that are no tar archive, or of a type that says so. */
async function badLayer(mediaType: string): Promise<BuiltLayer> {
  const { descriptor, source } = await buildBlob('these bytes are no layer', mediaType);
  return { descriptor, source, diffId: descriptor.digest };
}

/** Runs a command in a directory with `oci:base:1` and `oci:app:1`, the second with a layer more. */
async function run(t: TestContext, words: readonly string[], top?: BuiltLayer): Promise<RunResult> {
  const { home } = await sandbox(t);
  const upper = top ?? (await tarLayer([[{ path: 'app', type: 'file' }, 'app']]));
  await writeLayout(join(home, 'base'), '1', await buildImage({ layers: [layer] }));
  await writeLayout(join(home, 'app'), '1', await buildImage({ layers: [layer, upper] }));
  await writeFile(join(home, 'file'), 'text');
  return ocictl(t, words, { cwd: home });
}

const of = (words: readonly string[], error: RegExp, hint: RegExp): Try => ({ run: (t) => run(t, words), error, hint });
const image = 'oci:app:1';

export const inside: Tries = {
  '`cat`, `files` or `extract` of a path that the image does not have': [
    of(['cat', image, '/etc/host'], /has no "\/etc\/host"/, /there is "\/etc\/hosts"/),
    of(['files', image, '/ect'], /has no "\/ect"/, /there is "\/etc"/),
    of(['extract', image, '/etc/hosts/x', '-o', 'out'], /"\/etc\/hosts" is not a directory/, /^$/),
  ],
  '`cat` of a directory or a device, or `--layer` with a number that the image does not have': [
    of(['cat', image, '/etc'], /is a directory/, /ocictl files lists it/),
    of(['files', '--layer', '3', image], /has 2 layers, and no layer 3/, /ocictl history lists them/),
    of(
      ['squash', '--from', '3', image, '-t', 'oci:new:1'],
      /has 2 layers, and no layer 3/,
      /ocictl history lists them/,
    ),
  ],
  'a layer that is encrypted is looked into': [
    {
      run: async (t) => run(t, ['files', image], await badLayer(`${mediaTypes.ociLayerGzip}+encrypted`)),
      error: /is encrypted/,
      hint: /it can be copied as it is/,
    },
  ],
  'a layer, or a file for `append`, that is no tar archive': [
    {
      run: async (t) => run(t, ['export', image, '-o', 'out.tar'], await badLayer(mediaTypes.ociLayerGzip)),
      error: /is no tar archive/,
      hint: /./,
    },
    of(['append', image, '-f', 'file', '-t', 'oci:new:1'], /file is no tar archive/, /./),
  ],
  '`rebase` or `check-base` of an image that names no base, or `rebase` with one that it is not based on': [
    of(['rebase', image, '-t', 'oci:new:1'], /does not say which base it has/, /name both bases/),
    of(['check-base', image], /does not say which base it has/, /--base/),
    of(
      ['rebase', 'oci:base:1', '--old-base', image, '--new-base', image, '-t', 'oci:new:1'],
      /is not based on sha256:\w+: layer 2 of the base is/,
      /--old-base/,
    ),
  ],
  '`validate` finds that something is missing or wrong': [
    {
      run: async (t) => run(t, ['validate', image], await badLayer(mediaTypes.ociLayerGzip)),
      error: /./,
      hint: /./,
    },
  ],
};
