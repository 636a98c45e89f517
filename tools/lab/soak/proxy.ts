// A TCP proxy for one direction of dialling between two nodes: passes bytes on, holds them back one way or both, or cuts
// connections and accepts no more. What is held back comes later in its order, as from a network that stalls.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Which bytes are held back: those of the node that dials, those of the node that is dialled, or both. */
export type Held = "dialler" | "dialled" | "both";

export interface LinkProxy {
  readonly port: number;
  /** Ends what is connected and refuses what comes. */
  cut(): void;
  hold(held: Held): void;
  /** Passes everything on again. */
  heal(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly dialler: Socket;
  readonly dialled: Socket;
}

export async function startProxy(
  host: string,
  target: { readonly host: string; readonly port: number },
): Promise<LinkProxy> {
  const pairs = new Set<Pair>();
  let isCut = false;
  let held: Held | undefined;

  const apply = ({ dialler, dialled }: Pair) => {
    steer(dialler, dialled, held === "dialler" || held === "both");
    steer(dialled, dialler, held === "dialled" || held === "both");
  };
  const server: Server = createServer((dialler) => {
    if (isCut) return void dialler.destroy();
    const dialled = connect(target);
    const pair = { dialler, dialled };
    pairs.add(pair);
    for (const [from, to] of [
      [dialler, dialled],
      [dialled, dialler],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
    apply(pair);
  });
  server.listen(0, host);
  await once(server, "listening");
  const end = () => {
    for (const { dialler, dialled } of pairs) {
      dialler.destroy();
      dialled.destroy();
    }
  };
  return {
    port: (server.address() as { readonly port: number }).port,
    cut() {
      isCut = true;
      end();
    },
    hold(which) {
      held = which;
      for (const pair of pairs) apply(pair);
    },
    heal() {
      isCut = false;
      held = undefined;
      for (const pair of pairs) apply(pair);
    },
    async close() {
      end();
      server.close();
      await once(server, "close");
    },
  };
}

/** Joins one way of a pair, or holds it back. */
function steer(from: Socket, to: Socket, isHeld: boolean): void {
  from.unpipe(to);
  if (isHeld) from.pause();
  else from.pipe(to);
}
