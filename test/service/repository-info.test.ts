import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../src/model/reference/reference.ts';
import { parseRepositoryInfo } from '../../src/service/repository-info.ts';

// name, path, is Docker Hub's index, is secure, is one of Docker's official images
const rows = [
  ['alpine', 'library/alpine', true, true, true],
  ['docker.io/team/app:1', 'team/app', true, true, false],
  ['index.docker.io/library/alpine', 'library/alpine', true, true, true],
  ['registry.invalid:5000/app', 'app', false, true, false],
  ['localhost:5000/app', 'app', false, false, false],
  ['127.0.0.1:5000/team/app', 'team/app', false, false, false],
  ['[::1]:5000/app', 'app', false, false, false],
] as const;

describe('the repository of a reference, without configuration', () => {
  for (const [text, path, isHub, secure, official] of rows) {
    it(`is read from ${text}`, async () => {
      const reference = parseReference(text);
      assert.deepEqual(await parseRepositoryInfo(reference), {
        name: { domain: reference.domain, path },
        index: { name: reference.domain, mirrors: [], secure, official: isHub },
        official,
        class: '',
      });
    });
  }
});
