// The meter's program: the agent on whatever host the build supplies.

import host from "host";
import { runAgent } from "./agent/shell.js";

runAgent(host);
