import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { certsDir, hostCertsDir } from '../../src/certs/certs-dir.ts';
import { parseCount } from '../../src/commands/command-line/option-values.ts';
import { parseTomlDocument } from '../../src/config/documents/toml-document.ts';
import { validateHelperName } from '../../src/credentials/helper-program.ts';
import { isOciError } from '../../src/model/errors.ts';
import { hiddenCharacter } from '../../src/model/quote.ts';
import { parseSearchFilters } from '../../src/service/search/search-filters.ts';
import { projectRoot } from '../support/project.ts';
import { readSources } from '../support/source-tree/reading.ts';

const hostile = 'a\u0085b\u202ec\u001b[31md\u2028';
const refusers: Readonly<Record<string, () => unknown>> = {
  'a host as a directory': () => hostCertsDir(certsDir(), `../${hostile}`),
  'a number': () => parseCount('--count', hostile),
  'the name of a credential helper': () => validateHelperName(hostile, 'config.json'),
  'a filter of search': () => parseSearchFilters([hostile]),
  TOML: () => parseTomlDocument(`${hostile} = ${hostile}`, 'a.toml'),
};

describe('the error about hostile text', () => {
  for (const [name, refuse] of Object.entries(refusers)) {
    it(`shows none of its control characters: ${name}`, () => {
      assert.throws(
        refuse,
        (error) => isOciError(error) && `${error.message}${error.hint}`.search(hiddenCharacter) === -1,
      );
    });
  }

  it('does not quote it as JSON does, which leaves most of them as they are', async () => {
    const sources = await readSources(join(projectRoot, 'src'));
    const raw = /^.*(?:OciError|Error|refused?|fail)\(.*\$\{JSON\.stringify\(\w+\)\}.*$/gm;
    // Errors of templates go through `templateError`, which quotes them.
    const found = sources.flatMap(({ path, text }) =>
      path.startsWith('terminal/template/') ? [] : (text.match(raw) ?? []),
    );
    assert.deepEqual(found, []);
  });
});
