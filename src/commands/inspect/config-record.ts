import type { ImageConfig } from '../../model/manifest/image-config.ts';

/** A config with the names of Go's types for it, which templates for skopeo use: `{{.Config.Env}}`. */
export function configRecord(config: ImageConfig): Readonly<Record<string, unknown>> {
  return {
    Created: config.created ?? null,
    Author: config.author,
    Architecture: config.architecture,
    Variant: config.variant,
    OS: config.os,
    OSVersion: config.osVersion,
    Config: {
      User: config.user,
      ExposedPorts: emptyObjects(config.exposedPorts),
      Env: config.env ?? null,
      Entrypoint: config.entrypoint ?? null,
      Cmd: config.cmd ?? null,
      Volumes: emptyObjects(config.volumes),
      WorkingDir: config.workingDir,
      Labels: config.labels ?? null,
      StopSignal: config.stopSignal,
    },
    RootFS: { Type: 'layers', DiffIDs: config.diffIds },
    History: config.history.map((line) => ({
      Created: line.created ?? null,
      CreatedBy: line.createdBy,
      Author: line.author,
      Comment: line.comment,
      EmptyLayer: line.empty,
    })),
  };
}

function emptyObjects(keys: readonly string[] | undefined): ReadonlyMap<string, unknown> | null {
  return keys ? new Map(keys.map((key) => [key, {}])) : null;
}
