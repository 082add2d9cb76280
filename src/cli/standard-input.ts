/** Standard input can be read once only, and one command may ask for it twice: as two releases read it. */
import { unreadable } from "../files/folder.ts";
import type { FileContent } from "../files/tree.ts";
import { readToEnd } from "./own-file.ts";

let given: Uint8Array | FileContent | null = null;

/** As if it were the file at `realPath`. */
export function standardInput(realPath: string): FileContent {
  given ??= readAll();
  return given instanceof Uint8Array ? { kind: "file", bytes: given, realPath } : given;
}

function readAll(): Uint8Array | FileContent {
  try {
    return readToEnd(0) ?? unreadable("ETOOBIG");
  } catch (error) {
    const isFolder = error instanceof Error && "code" in error && error.code === "EISDIR";
    return isFolder ? { kind: "folder" } : unreadable("EIO");
  }
}
