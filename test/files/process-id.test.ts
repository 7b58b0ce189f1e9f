import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newProcessId, type ProcessId, processState, tryParseProcessId } from '../../src/files/process-id.ts';
import { start } from '../support/process.ts';

const child = fileURLToPath(import.meta.url).replace(/\.test(\.[jt]s)$/, '-child$1');
const onLinux = { skip: process.platform !== 'linux' && 'only Linux tells when a process started' };

function parsed(text: string): ProcessId {
  const id = tryParseProcessId(text);
  assert.ok(id, text);
  return id;
}

describe('the name of a process', () => {
  it('is another at each call, and can be read back', () => {
    const names = Array.from({ length: 100 }, newProcessId);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.equal(tryParseProcessId(name), name);
    assert.equal(tryParseProcessId(`../${names[0]}`), undefined);
    assert.equal(tryParseProcessId(''), undefined);
  });

  it('tells that a process lives, and that it lives no more', onLinux, async (t) => {
    const { child: other, result, waitFor } = start(t, process.execPath, [child], { env: {} });
    const id = parsed((await waitFor(/^(\S+)\n/))[1] ?? '');
    assert.equal(processState(id), 'alive');
    other.kill('SIGKILL');
    await result;
    assert.equal(processState(id), 'dead');
  });

  it('tells that a process has ended whose parent never asks for its status', onLinux, async (t) => {
    // The shell becomes a program that knows nothing of the shell's child.
    const script = `'${process.execPath}' '${child}' & exec sleep 60`;
    const { waitFor } = start(t, '/bin/sh', ['-c', script], { env: {} });
    const id = parsed((await waitFor(/^(\S+)\n/))[1] ?? '');
    const [pid] = id.split('-');
    process.kill(Number(pid), 'SIGKILL');
    while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await sleep(10);
    assert.equal(processState(id), 'dead');
  });

  it('is not that of a later process with the same number', onLinux, () => {
    const [pid, machine, last = ''] = newProcessId().split('-');
    const earlier = (Number.parseInt(last.slice(0, 6), 16) ^ 1).toString(16).padStart(6, '0');
    assert.equal(processState(parsed([pid, machine, earlier + last.slice(6)].join('-'))), 'dead');
  });

  it('says nothing of a process of another machine, or of another boot', () => {
    assert.equal(processState(parsed(`${process.pid}-0123456789ab-0123456789abcdef`)), 'unknown');
    const { pid } = spawnSync(process.execPath, ['--version']);
    assert.equal(processState(parsed(`${pid}-0123456789ab-0123456789ab`)), 'unknown', 'that number is free here alone');
  });

  it('is understood as stores and layouts had it before', onLinux, async (t) => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const parts = [hostname(), boot, readlinkSync('/proc/self/ns/pid')];
    const tag = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
    const { child: other, result, waitFor } = start(t, process.execPath, [child], { env: {} });
    await waitFor(/\n/);
    const store = parsed(`${other.pid}-${tag(JSON.stringify(parts))}-0123456789abcdef`);
    const layout = parsed(`${other.pid}-${tag(parts.join('\n'))}-0123456789ab`);
    // The number is in use, but it is unknown whether by the same process.
    assert.deepEqual([store, layout].map(processState), ['unknown', 'unknown']);
    other.kill('SIGKILL');
    await result;
    assert.deepEqual([store, layout].map(processState), ['dead', 'dead']);
  });
});
