/** Paths inside a tree: bytes, one character each, with slashes. */

/** A command line argument as its bytes, one character each. */
export function latin1(argument: string): string {
  return Buffer.from(argument, "utf8").toString("latin1");
}

export function joined(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}
