import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authConfigKey, convertToHostname } from '../../src/credentials/registry-key.ts';

describe('the key of a registry in config.json', () => {
  const hub = 'https://index.docker.io/v1/';
  for (const [host, key] of [
    ['docker.io', hub],
    ['index.docker.io', hub],
    ['registry-1.docker.io', hub],
    [hub, hub],
    ['docker.io:443', 'docker.io:443'],
    ['DOCKER.IO', 'DOCKER.IO'],
    ['registry.docker.io', 'registry.docker.io'],
    ['example.com', 'example.com'],
    ['example.com:5000', 'example.com:5000'],
    ['localhost:5000', 'localhost:5000'],
    ['[::1]:5000', '[::1]:5000'],
  ] as const) {
    it(`of ${host} is ${key}`, () => assert.equal(authConfigKey(host), key));
  }
});

describe('the host of a key', () => {
  for (const [key, host] of [
    ['example.com', 'example.com'],
    ['example.com:5000', 'example.com:5000'],
    ['http://example.com', 'example.com'],
    ['https://example.com', 'example.com'],
    ['HTTPS://example.com', 'example.com'],
    ['https://example.com/', 'example.com'],
    ['https://example.com/v1/', 'example.com'],
    ['https://example.com:5000/v1/', 'example.com:5000'],
    ['example.com/v1/', 'example.com'],
    ['https://index.docker.io/v1/', 'index.docker.io'],
    ['[::1]:5000/x', '[::1]:5000'],
    ['ftp://example.com', 'ftp:'],
    ['', ''],
  ] as const) {
    it(`${JSON.stringify(key)} is ${JSON.stringify(host)}`, () => assert.equal(convertToHostname(key), host));
  }
});
