// How a long-running command ends: the first SIGINT or SIGTERM asks it to stop in order, a later
// one ends it at once. So does the end of the command that started it, where that one keeps a
// channel to it.

/**
 * One Ctrl-C comes twice where npm passes on what the terminal has sent to every process already.
 */
const SAME_SIGNAL_MS = 1_000;

/** Resolves at the first signal. */
export function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    let asked_ms: number | undefined;
    const stop = () => {
      asked_ms ??= performance.now();
      resolve(undefined);
    };
    const onSignal = (signal: NodeJS.Signals) => {
      const isLater = asked_ms !== undefined && performance.now() - asked_ms > SAME_SIGNAL_MS;
      if (isLater) process.exit(signal === "SIGINT" ? 130 : 143);
      stop();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
    process.once("disconnect", stop);
    process.channel?.unref();
  });
}
