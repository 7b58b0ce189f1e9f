import { cannotRead } from '../../artifacts/push/part.ts';
import { stat } from '../../files/system-calls.ts';
import { writeTar } from '../../image/tar/write.ts';
import { type DirectoryOptions, directoryParts } from './directory.ts';
import { layerOfFile, layerOfTar, type MadeLayer, type MakeOptions } from './make-layer.ts';

/** A file or directory; or a stream in its place. */
interface LayerInput {
  readonly path: string;
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
}

/** Makes a layer of an archive or directory. @throws OciError as {@link layerOfFile} and {@link directoryParts} */
export async function makeLayer(
  { path, stdin }: LayerInput,
  options: Omit<MakeOptions, 'shown'> & { readonly directory: DirectoryOptions },
): Promise<MadeLayer> {
  const { compression, signal, directory } = options;
  const shown = stdin ? 'standard input' : path;
  const make = { shown, compression, signal };
  if (!stdin) {
    const facts = await stat(path).catch((error: unknown) => {
      throw cannotRead(error, path);
    });
    if (facts.isDirectory()) return await layerOfTar(writeTar(directoryParts(path, directory)), make);
  }
  return await layerOfFile(path, stdin, make);
}
