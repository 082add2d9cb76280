/**
 * A read-only, synchronous view of one file system: a folder taken as `/`, later a tar or an image. Paths are absolute
 * inside the tree. Symbolic links, absolute ones and `..` too, are resolved inside it; nothing outside is ever opened.
 * Names are latin1: one character is one byte.
 */
export interface FileTree {
  /** reads a whole file, following links; never throws */
  read(path: string): FileContent;
  /** names in a folder in byte order, without `.` and `..`; null when it is no folder or cannot be read */
  list(path: string): readonly string[] | null;
  /** null when nothing is there (a dangling link, with `follow`, counts as nothing) */
  stat(path: string, options?: { readonly follow: boolean }): FileEntry | null;
}

export type FileContent =
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly realPath: string }
  | { readonly kind: "folder" }
  /** `reason` in strerror's words: "No such file or directory", "Permission denied" … */
  | { readonly kind: "unreadable"; readonly code: FileErrorCode; readonly reason: string };

export type FileErrorCode = "ENOENT" | "EACCES" | "ELOOP" | "ENOTDIR" | "EIO" | "ETOOBIG" | "ESPECIAL";

export interface FileEntry {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  /** permission bits, as in 0o644 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
  /** the path inside the tree after all links are followed */
  readonly realPath: string;
  /** what a link holds; null for anything else */
  readonly target: string | null;
}

/** An account of the target's passwd, with the names of all its groups (primary first). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** groups without a name are left out, as sshd does (groupaccess.c) */
  readonly groups: readonly string[];
}
