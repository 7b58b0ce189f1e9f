import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import { formatIpv6, parseIpv6 } from '../../src/model/ipv6.ts';

describe('an IPv6 address', () => {
  const vectors: readonly (readonly [text: string, groups: string | undefined, short?: string])[] = [
    ['::', '0 0 0 0 0 0 0 0', '::'],
    ['::1', '0 0 0 0 0 0 0 1', '::1'],
    ['1::', '1 0 0 0 0 0 0 0', '1::'],
    ['2001:DB8::00a0:0', '2001 db8 0 0 0 0 a0 0', '2001:db8::a0:0'],
    ['1:2:3:4:5:6:7:8', '1 2 3 4 5 6 7 8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1 2 3 4 5 6 7 0', '1:2:3:4:5:6:7:0'],
    ['1:0:0:4:0:0:7:8', '1 0 0 4 0 0 7 8', '1::4:0:0:7:8'],
    ['1:0:0:4:0:0:0:8', '1 0 0 4 0 0 0 8', '1:0:0:4::8'],
    ['1:0:3:4:5:6:7:8', '1 0 3 4 5 6 7 8', '1:0:3:4:5:6:7:8'],
    ['0001:0000:0000:0000:0000:0000:0000:ffff', '1 0 0 0 0 0 0 ffff', '1::ffff'],
    ['1:2:3:4::5:6:7:8', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1::2::3', undefined],
    [':::', undefined],
    [':1:2:3:4:5:6:7', undefined],
    ['1:2:3:4:5:6:7:', undefined],
    ['12345::', undefined],
    ['g::', undefined],
    ['fe80::1%eth0', undefined],
    ['', undefined],
    [':', undefined],
    [':'.repeat(100_000), undefined],
  ];
  for (const [text, groups, short] of vectors) {
    it(`${text.slice(0, 40)} ${groups === undefined ? 'is none' : `is ${groups}, in short ${short}`}`, () => {
      const read = parseIpv6(text);
      assert.equal(read?.join(' '), groups);
      if (!read) return;
      assert.equal(formatIpv6(read), short);
      assert.deepEqual(parseIpv6(formatIpv6(read)), read);
    });
  }

  it('is one exactly where Node says so too', () => {
    let state = 7;
    const next = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state >> 8;
    };
    const pieces = ['::', ':', ':', ':', '0', '1', 'ab', 'FFFF', '12345'];
    let found = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = Array.from({ length: 1 + (next() % 17) }, () => pieces[next() % pieces.length]).join('');
      assert.equal(parseIpv6(text) !== undefined, isIPv6(text), text);
      if (isIPv6(text)) found += 1;
    }
    assert.ok(found > 50, `${found}`);
  });
});
