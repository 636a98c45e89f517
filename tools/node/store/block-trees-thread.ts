// A thread that hashes blocks: takes what a node has of one and answers with its outline and tree, in order.

import { parentPort } from "node:worker_threads";
import { packTree, type StoredBlock } from "./block-trees.js";

parentPort?.on("message", (stored: StoredBlock) => parentPort?.postMessage(packTree(stored)));
