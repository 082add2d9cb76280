/** How long an answer of the server may take; while the user is asked, nothing is awaited. */
export interface Patience {
  /** from now on, for an answer to `what` */
  readonly wait: (what: string) => void;
  readonly stop: () => void;
}

/** `over` is called once, when an answer has not come within `timeoutMs`. */
export function makePatience(timeoutMs: number, over: (what: string) => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    wait: (what) => {
      stop();
      timer = setTimeout(over, timeoutMs, what);
    },
  };
}
