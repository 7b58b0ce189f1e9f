import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sortByVersion } from '../../src/model/version-order.ts';

/** Each in its order. */
const orders: Readonly<Record<string, readonly string[]>> = {
  'compares numbers as numbers': ['1.2', '1.9', '1.10', '2', '10.0'],
  'puts fewer numbers first where the others are 0': ['1', '1.0', '1.0.0', '1.0.1'],
  'does not mind a v': ['v1.0', '1.1', 'v1.2'],
  'puts what comes before a release before it': [
    ...[
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
    ],
    '1.0.0',
  ],
  'knows such suffixes without a separator': ['3.13.0a1', '3.13.0b2', '3.13.0rc1', '3.13.0rc10', '3.13.0'],
  'puts variants behind the release': ['3.20', '3.20-alpine', '3.20-alpine3.9', '3.20-alpine3.19', '3.20-slim', '3.21'],
  'puts a variant of what comes before a release before it too': ['1.2-rc1', '1.2-rc1-alpine', '1.2', '1.2-alpine'],
  'takes a letter behind the numbers for a later release': ['1.1.1', '1.1.1a', '1.1.1w', '1.1.2'],
  'takes dates and build numbers of any length': ['2024.01.05', '20240105', '20240106', '99999999999999999999'],
  'does not mind leading zeros': ['1.01', '1.2', '1.03'],
  'puts what is no version first, by name': ['3f2a91c', 'latest', 'main', 'sha-1234567', 'vNext', '0.1', '1.0'],
};

describe('tags in the order of their versions', () => {
  for (const [title, wanted] of Object.entries(orders)) {
    it(title, () => {
      assert.deepEqual(sortByVersion([...wanted].reverse()), wanted);
      assert.deepEqual(sortByVersion([...wanted].sort()), wanted);
    });
  }
});
