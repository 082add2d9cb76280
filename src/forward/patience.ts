/** How long an answer of the server may take; while the user is asked, nothing is awaited. */
export interface Patience {
  /** from now on, for an answer to `what` */
  readonly wait: (what: string) => void;
  readonly stop: () => void;
  /** for good: who still waits for something else does not begin anew */
  readonly end: () => void;
}

/** `over` is called once, when an answer has not come within `timeoutMs`. */
export function makePatience(timeoutMs: number, over: (what: string) => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    end: () => {
      isOver = true;
      stop();
    },
    wait: (what) => {
      stop();
      if (isOver) return;
      timer = setTimeout(over, timeoutMs, what);
    },
  };
}
