/** What a table of forged signatures of notation consists of, and how each is tried. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotationPlace } from './notation-place.ts';
import type { Stores } from './signing-cases.ts';

export interface Forged {
  readonly forge: (place: NotationPlace) => Promise<Stores | undefined | undefined>;
  readonly reason: RegExp;
}

export function describeForged(what: string, forged: Readonly<Record<string, Forged>>): void {
  describe(`${what} does not count:`, () => {
    for (const [name, { forge, reason }] of Object.entries(forged)) {
      it(name, async () => {
        const place = await NotationPlace.create();
        const verdicts = await place.verify((await forge(place)) ?? {});
        assert.equal(verdicts.length, 1);
        assert.equal(verdicts[0]?.accepted, undefined);
        assert.match(verdicts[0]?.reason ?? '', reason);
      });
    }
  });
}
