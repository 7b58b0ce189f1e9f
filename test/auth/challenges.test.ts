import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { challengesOf, mayHide } from '../../src/auth/challenges.ts';

const asked = new URL('https://registry.test/v2/');
const headers = { 'www-authenticate': 'Basic realm="here"' };
const from = (status: number, url = asked.href) => ({ status, url: new URL(url), headers });
const elsewhere = 'https://elsewhere.test/v2/';

describe('what a registry wants to see', () => {
  it('is in its 401', () => {
    assert.deepEqual(
      challengesOf(from(401, 'https://registry.test/other'), asked).map(({ scheme }) => scheme),
      ['basic'],
    );
    for (const status of [200, 403, 404]) assert.deepEqual(challengesOf(from(status), asked), []);
  });

  it('is not said by a server that a redirect led to, on another host, port or scheme', () => {
    for (const url of [elsewhere, 'https://registry.test:5000/v2/', 'http://registry.test/v2/']) {
      assert.deepEqual(challengesOf(from(401, url), asked), [], url);
    }
  });
});

describe('an answer that may hide from a stranger what is there', () => {
  it('is 401, 403 or 404 of the registry itself', () => {
    for (const status of [401, 403, 404]) {
      assert.ok(mayHide(from(status), asked));
      assert.ok(!mayHide(from(status, elsewhere), asked));
    }
    for (const status of [200, 400, 429, 500]) assert.ok(!mayHide(from(status), asked));
  });
});
