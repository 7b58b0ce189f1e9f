/** Signs a manifest in the forms that are asked for. */
import { signInBundle } from './bundle.ts';
import { signUnderTag } from './tag.ts';
import { type SignatureFormat, type SignRequest, type WrittenSignature, writeForms } from './written.ts';

/**
 * @param created When the bundle says that it was made.
 * @param onNoBundle Called if a bundle is refused while there is a tag; may throw.
 * @throws OciError REFUSED if the tag for signatures holds something else; UNAVAILABLE
 */
export async function signManifest(
  request: SignRequest & { readonly annotations: Readonly<Record<string, string>> },
  format: SignatureFormat,
  created: Date,
  onNoBundle: (error: unknown) => void,
): Promise<readonly WrittenSignature[]> {
  const { annotations } = request;
  const write = {
    tag: () => signUnderTag(request, annotations),
    bundle: () => signInBundle(request, annotations, created),
  };
  return writeForms(format, write, onNoBundle);
}
