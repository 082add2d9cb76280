/** What --image names: a file or folder, and behind a colon which of the images in it, as skopeo(1) writes it. */
import { existsSync } from "node:fs";

export interface ImageName {
  /** latin1 */
  readonly path: string;
  /** null: the only one */
  readonly tag: string | null;
}

/** A path of this machine with colons of its own wins over one with a tag behind it. */
export function imageName(given: string): ImageName {
  for (let end = given.length; end > 0; end = given.lastIndexOf(":", end - 1)) {
    const path = given.slice(0, end);
    if (existsSync(Buffer.from(path, "latin1")))
      return { path, tag: end === given.length ? null : given.slice(end + 1) };
  }
  return { path: given, tag: null };
}
