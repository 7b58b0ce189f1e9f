import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { JsonDepthError, maxJsonDepth, parseJson } from '../../src/model/json.ts';
import { projectRoot } from '../support/project.ts';
import { readSources } from '../support/source-tree/reading.ts';

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('JSON that others wrote', () => {
  it('is parsed as JSON.parse does', () => {
    const texts = ['null', '3', '"[[[["', '{"a":[1,{"b":"\\"{"}]}', nested(maxJsonDepth), `[${'{},'.repeat(300)}{}]`];
    for (const text of texts) assert.deepEqual(parseJson(text), JSON.parse(text));
  });

  it('is refused before the parser sees it where it nests too deep', (t) => {
    const parser = t.mock.method(JSON, 'parse');
    for (const text of [nested(maxJsonDepth + 1), '['.repeat(4_000_000), '{"a":'.repeat(800_000), `${nested(300)}x`]) {
      assert.throws(() => parseJson(text), JsonDepthError);
    }
    assert.equal(parser.mock.callCount(), 0);
  });

  it('may hold any number of brackets in strings, and of lists beside each other', () => {
    const text = `["\\\\", "\\"[[", ${JSON.stringify('[{'.repeat(1000))}, ${'[],'.repeat(1000)} {}]`;
    assert.deepEqual(parseJson(text), JSON.parse(text));
  });

  it('is left to the parser if it is not JSON', () => {
    for (const text of ['', '{', ']]]'.repeat(200), `"${'['.repeat(400)}`])
      assert.throws(() => parseJson(text), SyntaxError);
  });

  it('is parsed by this function alone', async () => {
    const own = ['model/json.ts', 'config/documents/json-document.ts', 'terminal/template/tokens.ts'];
    const sources = await readSources(join(projectRoot, 'src'));
    const others = sources.filter(({ path, text }) => !own.includes(path) && /\bJSON\.parse\b/.test(text));
    assert.deepEqual(
      others.map(({ path }) => path),
      [],
    );
  });
});
