import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadSettings, type Settings } from '../../src/config/settings.ts';
import { parseReference, parseTag, type Reference } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { RegistryService, RegistryServiceOptions } from '../../src/service/contract.ts';
import { createRegistryService } from '../../src/service/create-service.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { sandbox } from '../support/sandbox.ts';

export const alpine: Reference = parseReference('alpine');

export interface Opened {
  readonly service: RegistryService;
  readonly warnings: readonly string[];
  readonly fallbacks: readonly string[];
}

export interface Given extends Partial<RegistryServiceOptions> {
  readonly daemon?: object;
  readonly config?: object;
  /** Changes the settings that were read. */
  readonly adjust?: (settings: Settings) => Settings;
}

/** A service with its own daemon.json and config.json. */
export async function open(
  t: TestContext,
  { daemon = {}, config = {}, adjust = (settings) => settings, ...more }: Given,
): Promise<Opened> {
  const { env, daemonJson, dockerConfig } = await sandbox(t);
  await writeFile(daemonJson, JSON.stringify({ 'max-download-attempts': 1, ...daemon }));
  await writeFile(join(dockerConfig, 'config.json'), JSON.stringify(config));
  const warnings: string[] = [];
  const fallbacks: string[] = [];
  const service = createRegistryService({
    settings: adjust(await loadSettings({ env })),
    warn: (text) => warnings.push(text),
    onFallback: ({ from, to, error }) => fallbacks.push(`${from} ${error.code} ${to}`),
    userAgent: 'ocictl/test',
    ...more,
  });
  t.after(() => service.close());
  return { service, warnings, fallbacks };
}

/** A registry with an image at library/alpine:latest. */
export async function withImage(text: string): Promise<Registry> {
  const registry = memoryRegistry();
  const image = await buildImage({ layers: [{ files: { 'etc/name': text } }] });
  await pushImage(registry, alpine.path, parseTag('latest'), image);
  return registry;
}

export async function digestOf(registry: Registry, path: Reference['path'] = alpine.path): Promise<string> {
  return (await registry.getManifest(path, parseTag('latest'))).descriptor.digest;
}
