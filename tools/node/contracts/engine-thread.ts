// The thread that prepares the engine for those of all chains, and ends.

import { parentPort, workerData } from "node:worker_threads";
import { prepareEngine } from "../../contracts/engine.js";

parentPort?.postMessage(await prepareEngine(workerData as Uint8Array));
