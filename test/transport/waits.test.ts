import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { rowKinds } from '../../bench/distance/rows.ts';
import type { Auth } from '../../bench/distance/site.ts';
import { setStage, stageEnv } from '../../bench/distance/stage.ts';
import { ocictl } from '../../bench/programs.ts';
import { inOwnNetwork, outside } from '../support/network/own-network.ts';
import { startCounting } from '../support/network/waits.ts';
import { projectRoot } from '../support/project.ts';

/**
 * Round trips one after the other, on the first run and on a host that is known: a connection, TLS, a 401 where nothing is known
 * (with a token server: its connection, TLS, and token), and the answer. More rows, with other servers: the tier `interop`.
 */
const most: readonly (readonly [row: string, auth: Auth, first: number, known: number])[] = [
  ['digest', 'none', 3, 3],
  ['digest', 'basic', 4, 3],
  ['digest', 'token', 7, 3],
  ['tags', 'basic', 4, 3],
  ['inspect', 'basic', 5, 4],
];

const bin = join(projectRoot, 'bin', 'ocictl.js');
const program = ocictl({ bin }, { path: process.execPath, name: 'ocictl' });

inOwnNetwork(import.meta.url, () => {
  describe('a command waits for the network', () => {
    for (const [name, auth, first, known] of most) {
      it(`${first} times for ${name} with auth ${auth}, then ${known} times`, async (t) => {
        const row = rowKinds.find((kind) => kind.name === name);
        assert.ok(row);
        const { site, count } = await startCounting(t, { auth, address: outside, front: 'ocictl' });
        const stage = await setStage({ env: site.env, bin }, t, site, row);
        for (const waits of [first, known]) {
          const counted = await count(row.commands(program, stage) ?? [], stageEnv(stage, row));
          const trace = [...counted.rounds.map((round) => round.join('; ')), ...counted.requests].join('\n');
          assert.equal(counted.waits, waits, trace);
        }
      });
    }
  });
});
