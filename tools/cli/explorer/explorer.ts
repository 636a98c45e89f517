// `gridseal explorer`: the explorer over exported chains, without a node and without a network.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import type { Genesis } from "../../../src/wire/genesis.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { readGenesisFile } from "../../files/genesis-file.js";
import type { ApiAdmission } from "../../node/api/access.js";
import { refused, route } from "../../node/api/route.js";
import { createApi } from "../../node/api/server.js";
import { apiDefaults } from "../../node/configuration.js";
import { createReceipts } from "../../node/ingest/receipts.js";
import { ordersRoute } from "../../node/parts/orders/routes.js";
import { violationRoutes } from "../../node/parts/violations/routes.js";
import { createMetrics } from "../../node/watch/metrics.js";
import { liveShapes } from "../../routes/routes.js";
import { writtenPath } from "../../routes/shape.js";
import { exportsIn, genesisIn } from "../../sources/exports.js";
import { whole } from "../../terminal/arguments.js";
import { countText, printLines, printNote } from "../../terminal/output.js";
import { stopSignal } from "../../terminal/signals.js";
import { type Archive, makeArchive } from "./archive.js";

interface ExplorerOptions {
  readonly genesis?: string;
  readonly port: number;
}

export function registerExplorer(program: Command): void {
  program
    .command("explorer")
    .description("show exported chains in a browser, checked there as a node's are")
    .argument("<dir>", "folder with chains that `chain export` wrote, *contracts* among them, and genesis.cbor")
    .option("--genesis <file>", "the network's genesis; genesis.cbor of the folder where absent")
    .option("--port <port>", "port of this machine", whole(0, 65_535), 9_390)
    .action(explorer);
}

async function explorer(dir: string, options: ExplorerOptions): Promise<void> {
  const { genesis, bytes } = await readGenesisFile(options.genesis ?? (await genesisIn(dir)));
  const exports = await exportsIn(dir);
  if (exports.size === 0) throw new GridsealError("USAGE", `${dir} has no chain that chain export wrote`);
  const folder = await mkdtemp(join(tmpdir(), "gridseal-explorer-"));
  try {
    const archive = await makeArchive({ genesis, exports, folder, onBlock: () => {} });
    for (const { name, path, sealer, problem } of archive.chains) {
      const good = `${name}: ${countText(sealer.head.height, "block")} of ${path}`;
      printLines([problem === undefined ? good : `${good}; it ends there: ${problem}`]);
    }
    const api = serve(archive, genesis, bytes, options.port);
    const port = await api.listen().catch((cause: unknown) => {
      const message = `nothing can be served on port ${options.port}: ${reasonOf(cause)}`;
      throw new GridsealError("PORT_UNAVAILABLE", message, { cause });
    });
    printLines([`look at it at http://127.0.0.1:${port}/`]);
    await stopSignal();
    await api.close();
    await archive.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The routes of a node, over what the archive has. */
function serve({ store, chains }: Archive, genesis: Genesis, genesisBytes: Uint8Array, port: number) {
  const receipts = createReceipts(genesis.network, store);
  const admission: ApiAdmission = {
    isAsked: false,
    services: () => [],
    readersOf: () => undefined,
    objection: () => undefined,
    judge: async () => ({ type: "refused", reason: "token-unproven", message: "exported chains know no holder" }),
  };
  return createApi(
    { host: "127.0.0.1", port, ...apiDefaults, addressRequests_s: 10_000 },
    {
      ...{ name: "exported chains", genesis, genesisBytes, store, receipts, admission, metrics: createMetrics() },
      monotonic_ms: () => performance.now(),
      peersConnected: () => 0,
      health: () => ({ status: "pass", problems: [] }),
      chains: () => chains.map(({ service, name, sealer }) => ({ service, name, head: sealer.head, pending: 0 })),
      isWaiting: () => false,
      routes: [
        ordersRoute(store),
        ...violationRoutes({ store, services: () => chains.map(({ service }) => service) }),
        ...liveShapes.map((shape) =>
          route(shape, () => refused("not-exported", `${writtenPath(shape)} takes a node.`)),
        ),
      ],
      admission,
      onDamage() {},
      onDefect(route, error) {
        printNote(`gridseal: ${route} failed: ${reasonOf(error)}`);
      },
    },
  );
}
