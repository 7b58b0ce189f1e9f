import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLocalName, literalAddress, privateNetworkOf } from '../../../src/transport/guard/private-networks.ts';

const privately = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.255', '100.100.100.200'],
  ...['127.0.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.0', '172.31.255.255', '192.168.0.1', '192.0.0.192'],
  ...['168.63.129.16', '::', '::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'febf::1', 'fec0::1'],
  ...[
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '::FFFF:10.0.0.1',
    '0:0:0:0:0:ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:10.0.0.1',
  ],
  ...['64:ff9b::10.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::7f00:1', '2002:7f00:1::', '2002:c0a8:101::1'],
  '2001:0:4136:e378:8000:63bf:f5ff:fffe',
];

const publicly = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...['128.0.0.0', '169.253.0.1', '172.15.255.255', '172.32.0.1', '192.167.0.1', '192.169.0.1', '198.18.0.1'],
  ...[
    '198.51.100.7',
    '168.63.129.17',
    '2606:4700::1111',
    '2001:4860:4860::8888',
    'ff02::1',
    'fbff::1',
    '64:ff9b::808:808',
  ],
  ...['::ffff:8.8.8.8', '2002:808:808::1', '2001:0:4136:e378:8000:63bf:f7f7:f7f7', '64:ff9c::a00:1'],
];

describe('the table of private networks', () => {
  it('has every kind of address that only we can reach, also in the clothes of another', () => {
    for (const address of privately) assert.notEqual(privateNetworkOf(address), undefined, address);
  });

  it('has no address that everybody can reach, and no text that is no address', () => {
    for (const address of [
      ...publicly,
      '',
      'localhost',
      '1.2.3',
      '10.0.0.256',
      '10.0.0.1.5',
      '::g',
      '[::1]',
      'a'.repeat(65_536),
    ])
      assert.equal(privateNetworkOf(address), undefined, address.slice(0, 50));
  });

  it('reads addresses as URLs spell them, and tells them from names', () => {
    const read = (host: string): string | undefined => literalAddress(new URL(`http://${host}/`).hostname);
    assert.equal(read('2130706433'), '127.0.0.1');
    assert.equal(read('0x7f.1'), '127.0.0.1');
    assert.equal(read('127.0.0.1.'), '127.0.0.1');
    assert.equal(read('[::ffff:10.0.0.1]'), '::ffff:a00:1');
    assert.equal(read('example.com'), undefined);
    for (const name of ['localhost', 'LOCALHOST.', 'a.b.localhost']) assert.ok(isLocalName(name), name);
    for (const name of ['localhost.example.com', 'notlocalhost']) assert.ok(!isLocalName(name), name);
  });
});
