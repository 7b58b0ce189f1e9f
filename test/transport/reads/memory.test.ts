import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bufferBytes } from '../../../src/files/buffers.ts';
import { ReadMemory } from '../../../src/transport/reads/memory.ts';

describe('the memory of a connection that reads', () => {
  it('is one small buffer, from its start, as long as answers are small and were read', () => {
    const memory = new ReadMemory();
    const first = memory.room();
    assert.ok(first.length < bufferBytes / 8, `${first.length}`);
    for (let answers = 0; answers < 500; answers += 1) {
      const room = memory.room();
      assert.deepEqual([room.buffer, room.byteOffset], [first.buffer, 0]);
      memory.take(memory.lend(1000));
    }
  });

  it('never gives room where lent bytes are', () => {
    const memory = new ReadMemory();
    const room = memory.room();
    const lent = memory.lend(1000);
    assert.deepEqual([memory.room().buffer, memory.room().byteOffset], [room.buffer, 1000]);
    memory.take(lent.subarray(0, 999));
    assert.equal(memory.room().byteOffset, 1000);
    memory.take(lent.subarray(999));
    assert.equal(memory.room().byteOffset, 0);
  });

  it('is a large buffer once a read has filled the small one, or has left too little', () => {
    for (const left of [0, 100]) {
      const memory = new ReadMemory();
      const lent = memory.lend(memory.room().length - left);
      assert.equal(memory.room().length, bufferBytes);
      memory.take(lent);
      assert.equal(memory.room().length, bufferBytes);
    }
  });

  it('stays small while answers are small, even if one is still in use when the next one arrives', () => {
    const memory = new ReadMemory();
    let before = memory.lend(Math.min(500, memory.room().length));
    for (let answer = 0; answer < 1000; answer += 1) {
      assert.ok(memory.room().length <= 32 * 1024);
      const next = memory.lend(500);
      memory.take(before);
      before = next;
    }
  });
});
