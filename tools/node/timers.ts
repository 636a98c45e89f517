// Named one-shot timers for the state machines of a process, which know them by name alone.

/** Timers by scope and name; setting one again replaces it. `stop` ends those of all scopes, and none is set afterwards. */
export function createTimers() {
  const timers = new Map<string, NodeJS.Timeout>();
  let isStopped = false;
  const clear = (name: string) => {
    clearTimeout(timers.get(name));
    timers.delete(name);
  };
  return {
    scope: (prefix: string) => ({
      set(name: string, delay_ms: number, callback: () => void) {
        const key = `${prefix}/${name}`;
        clear(key);
        if (isStopped) return;
        timers.set(
          key,
          setTimeout(() => {
            timers.delete(key);
            callback();
          }, delay_ms),
        );
      },
      clear: (name: string) => clear(`${prefix}/${name}`),
    }),
    stop() {
      isStopped = true;
      for (const name of [...timers.keys()]) clear(name);
    },
  };
}
