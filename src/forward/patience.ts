/** How long an answer of the server may take; while the user is asked, nothing is awaited. */
import { limitTime } from "./time-limit.ts";

export interface Patience {
  /** from now on, for an answer to `what` */
  readonly wait: (what: string) => void;
  readonly stop: () => void;
  /** for good: who still waits for something else does not begin anew */
  readonly end: () => void;
}

/** `over` is called once, when an answer has not come within `timeoutMs`. */
export function makePatience(timeoutMs: number, over: (what: string) => void): Patience {
  let stop = (): void => {};
  let isOver = false;
  return {
    stop: () => stop(),
    end: () => {
      isOver = true;
      stop();
    },
    wait: (what) => {
      stop();
      if (isOver) return;
      stop = limitTime(timeoutMs, () => over(what));
    },
  };
}
