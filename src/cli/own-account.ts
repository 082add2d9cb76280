/** Who runs this. */
import { type UserInfo, userInfo } from "node:os";

/** Null where no account has the number that this process runs as, as in containers with a number of their own choice. */
export function ownAccount(): UserInfo<string> | null {
  try {
    return userInfo();
  } catch {
    return null;
  }
}

/** As ssh(1) ends then. */
export const NO_ACCOUNT: string = `no account here has the number ${process.getuid?.() ?? ""} of this user`;
