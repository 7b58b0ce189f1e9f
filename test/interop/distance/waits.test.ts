import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { rowKinds } from '../../../bench/distance/rows.ts';
import type { Auth } from '../../../bench/distance/site.ts';
import { setStage, stageEnv } from '../../../bench/distance/stage.ts';
import { ocictl } from '../../../bench/programs.ts';
import { inOwnNetwork, outside } from '../../support/network/own-network.ts';
import { startCounting } from '../../support/network/waits.ts';
import { needs } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';

/**
 * The most round trips that a command may wait for one after the other: on the first run, and on a host that it knows. The authority is
 * one that only `SSL_CERT_FILE` names. Lower a number when a wait is gone; the fewest that another program needs stand beside.
 */
const most: readonly (readonly [row: string, auth: Auth, first: number, known: number, peer: number])[] = [
  ['digest', 'basic', 6, 6, 4],
  ['inspect', 'basic', 7, 7, 5],
  ['tags', 'basic', 6, 6, 4],
  ['login', 'basic', 6, 6, 4],
  ['pull-ten', 'basic', 14, 14, 8],
  ['push-ten', 'basic', 17, 17, 16],
  ['push-again', 'basic', 7, 7, 4],
  ['copy-within', 'basic', 21, 21, 14],
  ['copy-between', 'basic', 34, 34, 25],
  ['digest', 'token', 11, 11, 7],
  ['pull-ten', 'token', 19, 19, 11],
  ['push-ten', 'token', 23, 23, 20],
  ['copy-between', 'token', 45, 45, 32],
];

const program = ocictl({ bin: join(projectRoot, 'bin', 'ocictl.js') }, { path: process.execPath, name: 'ocictl' });

inOwnNetwork(import.meta.url, () => {
  describe('the longest chain of waits', () => {
    for (const [row, auth, first, known] of most) {
      it(`of ${row}, ${auth}: ${first}, then ${known}`, (t) => countTwice(t, row, auth, [first, known]));
    }
  });
});

async function countTwice(t: TestContext, name: string, auth: Auth, allowed: readonly number[]): Promise<void> {
  if (!needs(t, 'docker-registry', 'openssl', 'htpasswd')) return;
  const row = rowKinds.find((kind) => kind.name === name);
  assert.ok(row);
  const { site, count } = await startCounting(t, { auth, address: outside, registries: row.registries });
  const stage = await setStage({ env: site.env, bin: join(projectRoot, 'bin', 'ocictl.js') }, t, site, row);
  for (const most of allowed) {
    await row.before?.(stage);
    const { waits, rounds, requests } = await count(row.commands(program, stage) ?? [], stageEnv(stage, row));
    const trace = [...rounds.map((round) => round.join('; ')), ...requests].join('\n');
    assert.ok(waits <= most, `${waits} waits, where ${most} were allowed:\n${trace}`);
  }
}
