/** What a table of forged signatures consists of, and how each is tried. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Identities, KeylessPlace } from './keyless-place.ts';

export interface Forged {
  readonly forge: (keyless: KeylessPlace) => Promise<unknown>;
  readonly reason: RegExp;
  readonly identities?: (keyless: KeylessPlace) => Identities;
}

/** None counts, and each is refused for its own reason. */
export function describeForged(what: string, forged: Readonly<Record<string, Forged>>): void {
  describe(`${what} does not count:`, () => {
    for (const [name, { forge, reason, identities }] of Object.entries(forged)) {
      it(name, async () => {
        const keyless = await KeylessPlace.create();
        await forge(keyless);
        const verdicts = await keyless.verify(identities?.(keyless));
        assert.ok(verdicts.length > 0);
        for (const verdict of verdicts) {
          assert.equal(verdict.accepted, undefined);
          assert.match(verdict.reason ?? '', reason);
        }
      });
    }
  });
}

/** A certificate, what it signed, and the log's entry of that. */
export function signedWith(keyless: KeylessPlace) {
  const certificate = keyless.sigstore.certificate();
  const signed = keyless.envelope(certificate);
  return { certificate, signed, entry: keyless.entryOf(signed, certificate) };
}
