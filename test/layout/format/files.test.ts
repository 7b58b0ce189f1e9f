import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../../support/project.ts';
import { importsOf, readSources } from '../../support/source-tree/reading.ts';

describe('the files of a layout', () => {
  it('are all that its format asks for: no directory, no file system', async () => {
    const sources = await readSources(join(projectRoot, 'src', 'layout', 'format'));
    assert.ok(sources.length > 5);
    const imported = sources.flatMap(importsOf).map(({ specifier }) => specifier);
    assert.deepEqual(
      imported.filter((specifier) => /directory|^(?:node:)?(?:fs|path)\b/.test(specifier)),
      [],
    );
  });
});
