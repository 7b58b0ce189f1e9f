import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Delay } from '../../../bench/distance/delay.ts';
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
  ['digest', 'basic', 4, 3, 4],
  ['inspect', 'basic', 5, 4, 5],
  ['tags', 'basic', 4, 3, 4],
  ['tags-pages', 'basic', 14, 13, 14],
  ['login', 'basic', 4, 4, 4],
  ['pull-ten', 'basic', 5, 4, 8],
  ['push-ten', 'basic', 10, 9, 16],
  ['push-again', 'basic', 4, 3, 4],
  ['copy-within', 'basic', 7, 6, 14],
  ['copy-between', 'basic', 11, 10, 24],
  // Blobs that many images share are awaited by whoever comes second, which depends on time.
  ['copy-all', 'basic', 21, 19, 49],
  ['digest', 'token', 7, 3, 7],
  ['tags', 'token', 7, 3, 7],
  ['pull-ten', 'token', 8, 4, 11],
  ['push-ten', 'token', 14, 9, 20],
  ['push-again', 'token', 7, 3, 7],
  ['copy-between', 'token', 15, 10, 31],
];

const program = ocictl({ bin: join(projectRoot, 'bin', 'ocictl.js') }, { path: process.execPath, name: 'ocictl' });

inOwnNetwork(import.meta.url, () => {
  describe('the longest chain of waits', () => {
    for (const [row, auth, first, known, peer] of most) {
      it(`of ${row}, ${auth}: ${first}, then ${known} (another: ${peer})`, (t) =>
        countTwice(t, row, auth, [first, known]));
    }

    for (const name of ['digest', 'pull-ten', 'push-ten']) {
      it(`of ${name} takes at a long distance the time that the count says`, (t) => compareWithTime(t, name));
    }
  });
});

async function countTwice(t: TestContext, name: string, auth: Auth, allowed: readonly number[]): Promise<void> {
  const open = await openRow(t, name, auth);
  if (!open) return;
  for (const most of allowed) {
    const { waits, rounds, requests } = await open.count();
    t.diagnostic(`${waits} waits`);
    const trace = [...rounds.map((round) => round.join('; ')), ...requests].join('\n');
    assert.ok(waits <= most, `${waits} waits, where ${most} were allowed:\n${trace}`);
  }
}

/** How much longer it takes is a matter of the machine; that it takes no less shows that the count has nothing too much. */
async function compareWithTime(t: TestContext, name: string): Promise<void> {
  const rttMs = 400;
  const open = await openRow(t, name, 'basic');
  if (!open) return;
  // What is learned of the host in the first is known in the others.
  await open.count();
  const { waits } = await open.count();
  open.use(new Delay({ rttMs }));
  const startedAt = performance.now();
  await open.count();
  const took = performance.now() - startedAt;
  t.diagnostic(`${waits} waits of ${rttMs} ms, ${took.toFixed(0)} ms`);
  assert.ok(took >= waits * rttMs, `${took} ms for ${waits} waits`);
}

async function openRow(t: TestContext, name: string, auth: Auth) {
  if (!needs(t, 'docker-registry', 'nginx', 'openssl', 'htpasswd')) return undefined;
  const row = rowKinds.find((kind) => kind.name === name);
  assert.ok(row);
  const { site, count, use } = await startCounting(t, {
    ...{ auth, address: outside, registries: row.registries, ...(row.front && { front: row.front }) },
  });
  const stage = await setStage({ env: site.env, bin: join(projectRoot, 'bin', 'ocictl.js') }, t, site, row);
  return {
    use,
    async count() {
      await row.before?.(stage);
      return count(row.commands(program, stage) ?? [], stageEnv(stage, row));
    },
  };
}
